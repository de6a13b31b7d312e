// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.file.ControlFile;
import dev.caisson.cgroups.file.Driver;
import dev.caisson.cgroups.hierarchy.Hierarchy;
import dev.caisson.cgroups.file.Refusal;
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
                Path top = mounts.unified().orElseThrow();
                Subtree.enable(top, site.unifiedParent(), division.unifiedControllers(), evacuate);
                Path directory = site.unifiedParent().resolve(name);
                make(directory);
                unified = new V2Driver(directory, mounts.unifiedControllers());
                limit(unified, division);
            }
            makeLegacy(site.legacyParents(), name, made);
            var legacy = driver(made);
            if (legacy != null) {
                legacy.write(division.legacy(), null);
            }
            return new CgroupDirectories(unified, legacy);
        } catch (IOException | RuntimeException failed) {
            undo(failed, unified, made);
            throw failed;
        }
    }

    /** Makes a cgroup in this one. */
    CgroupDirectories child(CgroupMounts mounts, String name, Division division, boolean threaded) throws IOException {
        @Nullable V2Driver below = null;
        var made = new LinkedHashMap<Hierarchy, Path>();
        try {
            if (unified != null) {
                Path parent = unified.directories().getFirst();
                Path top = mounts.unified().orElseThrow();
                if (threaded) {
                    below = threaded(parent.resolve(name), mounts);
                    Subtree.enable(top, parent, division.unifiedControllers(), false);
                } else {
                    Subtree.enable(top, parent, division.unifiedControllers(), true);
                    make(parent.resolve(name));
                    below = new V2Driver(parent.resolve(name), mounts.unifiedControllers());
                }
                limit(below, division);
            }
            makeLegacy(legacyDirectories(mounts), name, made);
            var legacyBelow = driver(made);
            if (legacyBelow != null) {
                legacyBelow.write(division.legacy(), null);
            }
            return new CgroupDirectories(below, legacyBelow);
        } catch (IOException | RuntimeException failed) {
            undo(failed, below, made);
            throw failed;
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

    private static void limit(V2Driver driver, Division division) throws IOException {
        driver.write(division.unified(), null);
        if (division.devices().isPresent()) {
            driver.restrict(division.devices().get());
        }
    }

    private static @Nullable V1Driver driver(SequencedMap<Hierarchy, Path> made) {
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

    private static void undo(Throwable failed, @Nullable V2Driver unified, SequencedMap<Hierarchy, Path> made) {
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

    private static void make(Path directory) throws CgroupException {
        try {
            ControlFile.makeDirectory(directory);
        } catch (LinuxException refused) {
            throw Refusal.ofMake(directory, refused);
        }
    }

    private static V2Driver threaded(Path directory, CgroupMounts mounts) throws IOException {
        make(directory);
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
