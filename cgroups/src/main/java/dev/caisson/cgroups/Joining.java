// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.file.ControlFile;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.hierarchy.Hierarchy;
import dev.caisson.cgroups.hierarchy.Placement;
import dev.caisson.cgroups.process.Removal;
import dev.caisson.cgroups.process.Tasks;
import dev.caisson.cgroups.v1.V1Driver;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.ProcLines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Takes a cgroup into more hierarchies of version 1: first a directory in each, which gets its limits, then the processes move
 * there. Until it is undone or forgotten it knows where they came from.
 */
final class Joining {
    private final CgroupMounts mounts;
    private final CgroupDirectories before;
    private final LinkedHashMap<Hierarchy, Path> made = new LinkedHashMap<>();
    private final Map<Hierarchy, Map<Integer, Path>> origins = new HashMap<>();

    private Joining(CgroupMounts mounts, CgroupDirectories before) {
        this.mounts = mounts;
        this.before = before;
    }

    /** Makes the directories that are missing, and moves nothing yet. */
    static Joining begin(CgroupMounts mounts, String name, CgroupDirectories before, Set<Hierarchy> needed)
            throws IOException {
        var parents = new LinkedHashMap<Hierarchy, Path>();
        for (var hierarchy : needed) {
            if (!before.legacyDirectories(mounts).containsKey(hierarchy)) {
                parents.put(hierarchy, Placement.parent(mounts, hierarchy, Optional.empty()));
            }
        }
        var joining = new Joining(mounts, before);
        try {
            CgroupDirectories.makeLegacy(parents, name, joining.made);
            return joining;
        } catch (IOException | RuntimeException | Error failed) {
            joining.undo(failed);
            throw failed;
        }
    }

    /** {@return all directories of the cgroup, the new ones among them} */
    CgroupDirectories directories() {
        if (made.isEmpty()) {
            return before;
        }
        var all = before.legacyDirectories(mounts);
        all.putAll(made);
        return new CgroupDirectories(before.unified(), new V1Driver(all));
    }

    /** Moves all processes of the cgroup to the new directories. */
    void moveAll() throws IOException {
        if (made.isEmpty()) {
            return;
        }
        var unified = before.unified();
        var legacy = before.legacy();
        List<Path> members =
                unified != null ? unified.directories() : legacy != null ? legacy.directories() : List.of();
        var joined = new V1Driver(made);
        var moved = new LinkedHashSet<Integer>();
        Set<Integer> left = members.isEmpty() ? Set.of() : Tasks.of(members.getFirst());
        // Until no child was born to one that had not moved yet.
        while (!moved.containsAll(left)) {
            for (int pid : left) {
                if (moved.add(pid) && ProcessHandle.of(pid).isPresent()) {
                    rememberOrigin(pid);
                    joined.move(pid);
                }
            }
            left = Tasks.of(members.getFirst());
        }
    }

    private void rememberOrigin(int pid) throws IOException {
        try {
            var own = CgroupMounts.parse(List.of(), ProcLines.of(Path.of("/proc/" + pid + "/cgroup")))
                    .own();
            var seen = new CgroupMounts(mounts.hierarchies(), own);
            for (var hierarchy : made.keySet()) {
                seen.own(hierarchy)
                        .ifPresent(directory -> origins.computeIfAbsent(hierarchy, _ -> new HashMap<>())
                                .put(pid, directory));
            }
        } catch (NoSuchFileException ended) {
            // Then it does not move either.
        }
    }

    /**
     * Moves all processes back to where they were, those born meanwhile to the parent of the directory, and removes the new
     * directories. Nothing is killed.
     */
    void undo(Throwable failed) {
        for (var each : made.entrySet()) {
            try {
                Path parent = Objects.requireNonNull(each.getValue().getParent());
                var known = origins.getOrDefault(each.getKey(), Map.of());
                Removal.of(each.getValue(), () -> {
                    for (int pid : Tasks.in(each.getValue())) {
                        moveBack(pid, known.getOrDefault(pid, parent), parent);
                    }
                });
            } catch (IOException stays) {
                failed.addSuppressed(stays);
            }
        }
        made.clear();
    }

    private static void moveBack(int pid, Path origin, Path parent) throws LinuxException {
        Path to = Files.isDirectory(origin) ? origin : parent;
        try {
            ControlFile.write(to.resolve("cgroup.procs"), Integer.toString(pid));
        } catch (LinuxException refused) {
            if (ProcessHandle.of(pid).isPresent()) {
                throw refused;
            }
        }
    }
}
