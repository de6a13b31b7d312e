// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import dev.caisson.cgroups.file.ControlFile;
import dev.caisson.cgroups.file.Refusal;
import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.process.Tasks;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Brings controllers down to the children of a cgroup: {@code cgroup.subtree_control} of each cgroup on the way, from the top.
 *
 * <p>The kernel's rule of no internal processes: a cgroup, but for the real root, either has processes or gives controllers
 * to its children.
 */
public final class Subtree {
    /** Where processes go that are in the way. */
    private static final String LEAF = "caisson-leaf";

    private static final String CONTROL = "cgroup.subtree_control";
    private static final int ATTEMPTS = 10;

    private Subtree() {}

    /** {@return where the processes of a cgroup are: since it has children with controllers, in a leaf of it} */
    public static Path home(Path cgroup) {
        Path leaf = cgroup.resolve(LEAF);
        return Files.isDirectory(leaf) ? leaf : cgroup;
    }

    /**
     * Enables controllers for the children of a cgroup.
     *
     * @param top where the way begins: the mount point
     * @param evacuate whether processes in {@code parent} may be moved to a leaf below it
     */
    public static void enable(Path top, Path parent, Collection<String> controllers, boolean evacuate)
            throws IOException {
        if (controllers.isEmpty()) {
            return;
        }
        for (Path at : way(top, parent)) {
            var missing = new LinkedHashSet<>(controllers);
            missing.removeAll(ControlFile.words(at.resolve(CONTROL)));
            if (missing.isEmpty()) {
                continue;
            }
            var absent = new LinkedHashSet<>(missing);
            absent.removeAll(ControlFile.words(at.resolve("cgroup.controllers")));
            if (!absent.isEmpty()) {
                throw new CgroupException(
                        Reason.MISSING_CONTROLLER,
                        absent.iterator().next(),
                        "the controller does not come down to " + HostPath.shown(at) + ": cgroup.subtree_control of "
                                + HostPath.shown(Objects.requireNonNull(at.getParent()))
                                + " does not enable it; for a systemd unit, set Delegate=yes",
                        null);
            }
            enableHere(at, missing, evacuate && at.equals(parent));
        }
    }

    /** {@return the cgroups from the top to a parent, both included} */
    static List<Path> way(Path top, Path parent) {
        var way = new ArrayList<Path>();
        for (Path at = parent; at != null && at.startsWith(top); at = at.getParent()) {
            way.add(at);
        }
        return way.reversed();
    }

    private static void enableHere(Path cgroup, Collection<String> controllers, boolean evacuate) throws IOException {
        for (int attempt = 1; ; attempt++) {
            var inTheWay = given(cgroup, controllers);
            if (inTheWay.isEmpty()) {
                return;
            }
            if (!evacuate || attempt == ATTEMPTS) {
                throw new CgroupException(
                        Reason.INTERNAL_PROCESSES,
                        "cgroup",
                        inTheWay.get() + "; the cgroup " + HostPath.shown(cgroup) + " has processes of its own "
                                + Tasks.in(cgroup)
                                + ", and a cgroup with processes cannot give controllers to its children; allow them to be"
                                + " moved to a leaf (evacuate), or name another parent",
                        null);
            }
            // Again if a process forked meanwhile.
            evacuate(cgroup);
        }
    }

    /**
     * Writes {@code cgroup.subtree_control}.
     *
     * <p>With processes inside, the kernel refuses, but not where all the controllers are of those that threads can share
     * (cpu, cpuset, pids, perf_event): then the cgroup becomes the root of a threaded subtree, whose children take no
     * processes. Nobody asked for that, so it is undone.
     *
     * @return the refusal, if processes of the cgroup itself are in the way
     */
    private static Optional<String> given(Path cgroup, Collection<String> controllers) throws IOException {
        boolean plain = type(cgroup).equals("domain");
        String words = words("+", controllers);
        try {
            ControlFile.write(cgroup.resolve(CONTROL), words);
        } catch (LinuxException refused) {
            if (refused.errno().equals(Errno.EBUSY)) {
                return Optional.of(String.valueOf(refused.getMessage()));
            }
            throw Refusal.ofWrite(new Write("cgroup", "", CONTROL, words), cgroup.resolve(CONTROL), refused);
        }
        if (plain && type(cgroup).equals("domain threaded")) {
            ControlFile.write(cgroup.resolve(CONTROL), words("-", controllers));
            return Optional.of(
                    "with \"" + words + "\" the children of " + HostPath.shown(cgroup) + " would take threads only");
        }
        return Optional.empty();
    }

    /** {@return how a cgroup treats threads; nothing of the root, which has no such file} */
    private static String type(Path cgroup) throws IOException {
        Path file = cgroup.resolve("cgroup.type");
        return Files.exists(file) ? ControlFile.read(file).strip() : "";
    }

    private static String words(String sign, Collection<String> controllers) {
        return String.join(" ", controllers.stream().map(c -> sign + c).toList());
    }

    /** Moves the processes of a cgroup to a leaf below it. */
    private static void evacuate(Path cgroup) throws IOException {
        Path leaf = cgroup.resolve(LEAF);
        try {
            ControlFile.makeDirectory(leaf);
        } catch (LinuxException refused) {
            if (!refused.errno().equals(Errno.EEXIST)) {
                throw Refusal.ofMake(leaf, refused);
            }
        }
        for (int pid : Tasks.in(cgroup)) {
            try {
                ControlFile.write(leaf.resolve("cgroup.procs"), Integer.toString(pid));
            } catch (LinuxException refused) {
                if (!refused.errno().equals(Errno.ESRCH)) {
                    throw Refusal.ofMove(leaf, refused);
                }
            }
        }
    }
}
