// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.hierarchy;

import dev.caisson.linux.call.HostPath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Where a controller went that no hierarchy here has. */
public final class Whereabouts {
    private Whereabouts() {}

    /** {@return a sentence for an error} */
    public static String of(String controller, CgroupMounts mounts) {
        List<String> lines;
        try {
            lines = Files.readAllLines(Path.of("/proc/cgroups"));
        } catch (IOException hidden) {
            lines = List.of();
        }
        return of(controller, mounts, lines);
    }

    /** {@return a sentence for an error} @param cgroups the lines of {@code /proc/cgroups} */
    static String of(String controller, CgroupMounts mounts, List<String> cgroups) {
        String legacyName = controller.equals("io") ? "blkio" : controller;
        for (String line : cgroups) {
            String[] words = line.split("\\s+");
            if (words.length < 4 || !words[0].equals(legacyName)) {
                continue;
            }
            if (words[3].equals("0")) {
                return "the kernel was booted without it (cgroup_disable=" + legacyName + ", or it is off by default)";
            }
            if (!words[1].equals("0")) {
                return "it is bound to hierarchy " + words[1]
                        + " of version 1, which is not mounted where this process can see it";
            }
            return mounts.unified().isPresent()
                    ? "the kernel has it, but it does not come down to "
                            + HostPath.shown(mounts.unified().get())
                            + " (it is missing in cgroup.controllers there: the parent has not enabled it)"
                    : "the kernel has it, but it is mounted nowhere: mount -t cgroup -o " + legacyName
                            + " none /sys/fs/cgroup/" + legacyName;
        }
        return cgroups.isEmpty()
                ? "/proc/cgroups cannot be read, so that nothing more is known"
                : "this kernel is built without it, see /proc/cgroups";
    }
}
