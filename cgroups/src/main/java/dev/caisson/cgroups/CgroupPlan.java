// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.file.Write;
import dev.caisson.linux.call.HostPath;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;

/**
 * What making a cgroup would do. Nothing of it has been done.
 *
 * @param steps in the order of time
 * @param bornInside whether a process can be born in it (CLONE_INTO_CGROUP): it is in version 2
 * @param entered the hierarchies of version 1 that a process enters before its execve, such as {@code cpu,cpuacct}
 * @param unenforced limits that cannot be enforced here; empty unless best effort was asked for
 */
public record CgroupPlan(List<Step> steps, boolean bornInside, List<String> entered, List<Unenforced> unenforced) {
    public CgroupPlan {
        steps = List.copyOf(steps);
        entered = List.copyOf(entered);
        unenforced = List.copyOf(unenforced);
    }

    /**
     * One system call, or two for a write.
     *
     * @param text as strace prints it
     * @param purpose in words
     */
    public record Step(String text, String purpose) {
        static Step bringDown(Path parent, Collection<String> controllers) {
            return new Step(
                    "write(\"" + HostPath.shown(parent.resolve("cgroup.subtree_control")) + "\", \"+"
                            + String.join(" +", controllers) + "\")",
                    "bring the controllers down, from the top");
        }

        static Step make(Path directory, String where) {
            return new Step("mkdir(\"" + HostPath.shown(directory) + "\", 0755)", "make the cgroup " + where);
        }

        static Step write(Path directory, Write write) {
            return new Step(
                    "write(\"" + HostPath.shown(directory.resolve(write.file())) + "\", \"" + write.value() + "\")",
                    "limit " + write.option());
        }
    }

    /**
     * A limit that was asked for and is not enforced.
     *
     * @param option the setting
     * @param why the whole message of the error it would have been
     */
    public record Unenforced(String option, String why) {}

    /** {@return one step a line} */
    @Override
    public String toString() {
        var out = new StringBuilder();
        steps.forEach(
                s -> out.append(s.text()).append("  # ").append(s.purpose()).append('\n'));
        unenforced.forEach(u -> out.append("not enforced: ").append(u.why()).append('\n'));
        return out.toString();
    }
}
