// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.file.CgroupMounts;
import dev.caisson.cgroups.file.ControlFile;
import dev.caisson.cgroups.file.Driver;
import dev.caisson.cgroups.file.Hierarchy;
import dev.caisson.cgroups.file.Placement;
import dev.caisson.cgroups.file.Refusal;
import dev.caisson.cgroups.file.Tasks;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.v1.V1Driver;
import dev.caisson.cgroups.v2.Subtree;
import dev.caisson.cgroups.v2.V2Driver;
import dev.caisson.linux.LinuxException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
                legacy.write(division.legacy());
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
                legacyBelow.write(division.legacy());
            }
            return new CgroupDirectories(below, legacyBelow);
        } catch (IOException | RuntimeException failed) {
            undo(failed, below, made);
            throw failed;
        }
    }

    /** {@return this in more hierarchies of version 1: a directory in each, and all processes into it} */
    CgroupDirectories join(CgroupMounts mounts, String name, Set<Hierarchy> needed) throws IOException {
        var directories = legacyDirectories(mounts);
        var parents = new LinkedHashMap<Hierarchy, Path>();
        for (var hierarchy : needed) {
            if (!directories.containsKey(hierarchy)) {
                parents.put(hierarchy, Placement.parent(mounts, hierarchy, Optional.empty()));
            }
        }
        if (parents.isEmpty()) {
            return this;
        }
        var made = new LinkedHashMap<Hierarchy, Path>();
        try {
            makeLegacy(parents, name, made);
            moveAll(new V1Driver(made));
        } catch (IOException | RuntimeException failed) {
            undo(failed, null, made);
            throw failed;
        }
        directories.putAll(made);
        return new CgroupDirectories(unified, new V1Driver(directories));
    }

    private void moveAll(V1Driver joined) throws IOException {
        List<Path> members =
                unified != null ? unified.directories() : legacy != null ? legacy.directories() : List.of();
        var moved = new LinkedHashSet<Integer>();
        Set<Integer> left = members.isEmpty() ? Set.of() : Tasks.of(members.getFirst());
        // Until no child was born to one that had not moved yet.
        while (!moved.containsAll(left)) {
            for (int pid : left) {
                if (moved.add(pid) && ProcessHandle.of(pid).isPresent()) {
                    joined.move(pid);
                }
            }
            left = Tasks.of(members.getFirst());
        }
    }

    private SequencedMap<Hierarchy, Path> legacyDirectories(CgroupMounts mounts) {
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
        driver.write(division.unified());
        if (division.devices().isPresent()) {
            driver.restrict(division.devices().get());
        }
    }

    private static @Nullable V1Driver driver(SequencedMap<Hierarchy, Path> made) {
        return made.isEmpty() ? null : new V1Driver(made);
    }

    /** Removes them, after something else failed. */
    void undo(Exception failed) {
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

    private static void undo(Exception failed, @Nullable V2Driver unified, SequencedMap<Hierarchy, Path> made) {
        new CgroupDirectories(unified, driver(made)).undo(failed);
    }

    private static void makeLegacy(Map<Hierarchy, Path> parents, String name, SequencedMap<Hierarchy, Path> made)
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
