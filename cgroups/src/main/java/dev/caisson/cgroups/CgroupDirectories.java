// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.file.ControlFile;
import dev.caisson.cgroups.file.Driver;
import dev.caisson.cgroups.file.Refusal;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.hierarchy.Hierarchy;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.v1.V1Driver;
import dev.caisson.cgroups.v2.Subtree;
import dev.caisson.cgroups.v2.V2Driver;
import dev.caisson.linux.LinuxException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The directories of a cgroup, one per hierarchy that takes part. They are made with their limits, all of them or none.
 *
 * @param unified null if version 2 takes no part
 * @param legacy null if version 1 takes no part
 */
record CgroupDirectories(
        @Nullable V2Driver unified, @Nullable V1Driver legacy) {

    static CgroupDirectories make(CgroupBuilder.Site site, String name, boolean evacuate) throws IOException {
        var mounts = site.mounts();
        var division = site.division();
        @Nullable V2Driver unified = null;
        var made = new LinkedHashMap<Hierarchy, Path>();
        try {
            if (site.unifiedParent() != null) {
                enable(site, site.unifiedParent(), evacuate);
                Path directory = site.unifiedParent().resolve(name);
                make(directory);
                unified = new V2Driver(directory, mounts.unifiedControllers());
                limit(unified, division);
            }
            makeLegacy(site.legacyParents(), name, made);
            var legacy = driver(made);
            if (legacy != null) {
                legacy.write(division.legacy(), division.writing());
            }
            return new CgroupDirectories(unified, legacy);
        } catch (IOException | RuntimeException | Error failed) {
            undo(failed, unified, made);
            throw failed;
        }
    }

    private static void enable(CgroupBuilder.Site site, Path parent, boolean evacuate) throws IOException {
        Path top = site.mounts().unified().orElseThrow();
        var wished = site.division().wishedControllers();
        var required = site.division().unifiedControllers();
        required.removeAll(wished);
        Subtree.enable(top, parent, required, evacuate);
        for (String controller : wished) {
            try {
                Subtree.enable(top, parent, Set.of(controller), evacuate);
            } catch (CgroupException stays) {
                site.division().withoutController(controller, stays);
            }
        }
    }

    /** {@return the directories of version 1} */
    SequencedMap<Hierarchy, Path> legacyDirectories(CgroupMounts mounts) {
        var directories = new LinkedHashMap<Hierarchy, Path>();
        for (var hierarchy : mounts.hierarchies()) {
            if (!hierarchy.unified() && legacy != null) {
                hierarchy.controllers().stream()
                        .findFirst()
                        .flatMap(legacy::directory)
                        .ifPresent(d -> directories.put(hierarchy, d));
            }
        }
        return directories;
    }

    static void limit(V2Driver driver, Division division) throws IOException {
        driver.write(division.unified(), division.writing());
        if (division.devices().isPresent()) {
            try {
                driver.restrict(division.devices().get());
            } catch (CgroupException refused) {
                division.refused(refused.option(), refused);
            }
        }
    }

    static @Nullable V1Driver driver(SequencedMap<Hierarchy, Path> made) {
        return made.isEmpty() ? null : new V1Driver(made);
    }

    /** Removes them, after something else failed. */
    void undo(Throwable failed) {
        for (var driver : Arrays.<@Nullable Driver>asList(unified, legacy)) {
            try {
                if (driver != null) {
                    driver.remove();
                }
            } catch (IOException alsoFailed) {
                failed.addSuppressed(alsoFailed);
            }
        }
    }

    static void undo(Throwable failed, @Nullable V2Driver unified, SequencedMap<Hierarchy, Path> made) {
        new CgroupDirectories(unified, driver(made)).undo(failed);
    }

    static void makeLegacy(Map<Hierarchy, Path> parents, String name, SequencedMap<Hierarchy, Path> made)
            throws IOException {
        for (var entry : parents.entrySet()) {
            Path directory = entry.getValue().resolve(name);
            make(directory);
            made.put(entry.getKey(), directory);
            if (entry.getKey().controllers().contains("cpuset")) {
                V1Driver.inheritCpuset(directory);
            }
        }
    }

    static void make(Path directory) throws CgroupException {
        try {
            ControlFile.makeDirectory(directory);
        } catch (LinuxException refused) {
            throw Refusal.ofMake(directory, refused);
        }
    }
}
