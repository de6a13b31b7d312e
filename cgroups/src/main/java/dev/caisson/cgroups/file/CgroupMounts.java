// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Where this machine's cgroups are: a unified hierarchy, version 1 hierarchies, or both (hybrid).
 *
 * @param unified where cgroup2 is mounted
 * @param unifiedControllers what version 2 has; the others may be in version 1
 * @param legacy version 1 controllers, {@code name=systemd} included, and where each is mounted
 */
public record CgroupMounts(Optional<Path> unified, Set<String> unifiedControllers, Map<String, Path> legacy) {
    private static final Set<String> CONTROLLERS = Set.of(
            "cpu",
            "cpuacct",
            "cpuset",
            "memory",
            "devices",
            "freezer",
            "blkio",
            "pids",
            "hugetlb",
            "net_cls",
            "net_prio",
            "perf_event",
            "rdma",
            "misc");

    public CgroupMounts {
        unifiedControllers = Set.copyOf(unifiedControllers);
        legacy = Map.copyOf(legacy);
    }

    /** Reads what this process sees. */
    public static CgroupMounts ofThisProcess() throws IOException {
        var mounts = parse(Files.readAllLines(Path.of("/proc/self/mountinfo")));
        if (mounts.unified().isEmpty()) {
            return mounts;
        }
        var controllers = Files.readString(mounts.unified().get().resolve("cgroup.controllers"));
        return new CgroupMounts(mounts.unified(), new TreeSet<>(words(controllers)), mounts.legacy());
    }

    /** {@return the mounts in lines of {@code /proc/PID/mountinfo}; the controllers of version 2 are not in there} */
    public static CgroupMounts parse(List<String> mountinfo) {
        Optional<Path> unified = Optional.empty();
        var legacy = new TreeMap<String, Path>();
        for (String line : mountinfo) {
            int dash = line.indexOf(" - ");
            if (dash < 0) {
                continue;
            }
            String[] before = line.substring(0, dash).split(" ");
            String[] after = line.substring(dash + 3).split(" ");
            Path point = Path.of(before[4].replace("\\040", " "));
            if (after[0].equals("cgroup2") && unified.isEmpty()) {
                unified = Optional.of(point);
            } else if (after[0].equals("cgroup")) {
                for (String option : after[after.length - 1].split(",")) {
                    if (CONTROLLERS.contains(option) || option.startsWith("name=")) {
                        legacy.putIfAbsent(option, point);
                    }
                }
            }
        }
        return new CgroupMounts(unified, Set.of(), legacy);
    }

    static List<String> words(String text) {
        return Arrays.stream(text.strip().split("\\s+"))
                .filter(w -> !w.isEmpty())
                .toList();
    }

    /** {@return "unified", "legacy", "hybrid" or "none"} */
    public String layout() {
        boolean v1 = legacy.keySet().stream().anyMatch(c -> !c.startsWith("name="));
        if (unified.isEmpty()) {
            return v1 ? "legacy" : "none";
        }
        return v1 ? "hybrid" : "unified";
    }

    /** {@return whether a controller is in version 2} */
    public boolean isUnified(String controller) {
        return unifiedControllers.contains(controller);
    }
}
