// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.hierarchy.Hierarchy;
import dev.caisson.cgroups.hierarchy.Placement;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.v1.V1Driver;
import dev.caisson.cgroups.v2.V2Driver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Finds a cgroup by its name. */
final class Existing {
    private Existing() {}

    /**
     * {@return it, in all hierarchies that have it}
     *
     * @param parent the path it was made below, if that was not the default
     * @throws CgroupException if no hierarchy has it
     */
    static Cgroup open(CgroupMounts mounts, Optional<String> parent, String name) throws IOException {
        var _ = Placement.checkedName(name);
        @Nullable V2Driver unified = null;
        var legacy = new LinkedHashMap<Hierarchy, Path>();
        for (var hierarchy : mounts.hierarchies()) {
            Optional<Path> directory = directory(mounts, hierarchy, parent, name);
            if (directory.isPresent()) {
                if (hierarchy.unified()) {
                    unified = new V2Driver(directory.get(), hierarchy.controllers());
                } else {
                    legacy.put(hierarchy, directory.get());
                }
            }
        }
        if (unified == null && legacy.isEmpty()) {
            throw new CgroupException(Reason.VANISHED, "cgroup", "there is no \"" + name + "\" any more", null);
        }
        return Cgroup.existing(
                mounts, name, new CgroupDirectories(unified, legacy.isEmpty() ? null : new V1Driver(legacy)));
    }

    private static Optional<Path> directory(
            CgroupMounts mounts, Hierarchy hierarchy, Optional<String> parent, String name) {
        try {
            return Optional.of(Placement.parent(mounts, hierarchy, parent).resolve(name))
                    .filter(Files::isDirectory);
        } catch (CgroupException notOurs) {
            return Optional.empty();
        }
    }
}
