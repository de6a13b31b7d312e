// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.hierarchy.Hierarchy;
import dev.caisson.cgroups.hierarchy.Placement;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.v2.Subtree;
import dev.caisson.cgroups.v2.V2Driver;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import org.jspecify.annotations.Nullable;

/** Makes cgroups in a cgroup. */
final class CgroupChildren {
    private final CgroupMounts mounts;
    private final String parentName;
    private final CgroupDirectories parent;

    CgroupChildren(CgroupMounts mounts, String parentName, CgroupDirectories parent) {
        this.mounts = mounts;
        this.parentName = parentName;
        this.parent = parent;
    }

    /** {@return who enforces a child's limits} */
    Division division(String name, Limits limits) throws IOException {
        var _ = Placement.checkedName(name);
        Processors.check(limits, limits);
        return Division.of(mounts, limits, limits, _ -> false);
    }

    /** {@return the directories of the parent, in the hierarchies a child requires; all its processes are in them} */
    CgroupDirectories join(Division division) throws IOException {
        var joining = Joining.begin(mounts, parentName, parent, division.legacyHierarchies(mounts));
        try {
            joining.moveAll();
            return joining.directories();
        } catch (IOException | RuntimeException | Error failed) {
            joining.undo(failed);
            throw failed;
        }
    }

    /** {@return a child's directories, with its limits; nothing is left of it if that fails} */
    CgroupDirectories make(String name, Division division, boolean threaded) throws IOException {
        @Nullable V2Driver below = null;
        var made = new LinkedHashMap<Hierarchy, Path>();
        try {
            var unified = parent.unified();
            if (unified != null) {
                Path above = unified.directories().getFirst();
                Path top = mounts.unified().orElseThrow();
                if (threaded) {
                    below = threaded(above.resolve(name));
                    Subtree.enable(top, above, division.unifiedControllers(), false);
                } else {
                    Subtree.enable(top, above, division.unifiedControllers(), true);
                    CgroupDirectories.make(above.resolve(name));
                    below = new V2Driver(above.resolve(name), mounts.unifiedControllers());
                }
                CgroupDirectories.limit(below, division);
            }
            CgroupDirectories.makeLegacy(parent.legacyDirectories(mounts), name, made);
            var legacyBelow = CgroupDirectories.driver(made);
            if (legacyBelow != null) {
                legacyBelow.write(division.legacy(), division.writing());
            }
            return new CgroupDirectories(below, legacyBelow);
        } catch (IOException | RuntimeException | Error failed) {
            CgroupDirectories.undo(failed, below, made);
            throw failed;
        }
    }

    private V2Driver threaded(Path directory) throws IOException {
        CgroupDirectories.make(directory);
        var driver = new V2Driver(directory, mounts.unifiedControllers());
        try {
            driver.makeThreaded();
            return driver;
        } catch (CgroupException refused) {
            driver.remove();
            throw refused;
        }
    }
}
