// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.hierarchy;

import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.linux.call.HostPath;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Below which directory of a hierarchy new cgroups are made. */
public final class Placement {
    private Placement() {}

    /**
     * {@return the parent that was asked for; else the root of the hierarchy, if this user may write there; else the topmost
     * cgroup above its own that it may write to, which is the one delegated to it}
     *
     * @param asked a cgroup's path below the mount point, such as {@code /machine.slice}
     * @throws CgroupException if there is none
     */
    public static Path parent(CgroupMounts mounts, Hierarchy hierarchy, Optional<String> asked) throws CgroupException {
        if (asked.isPresent()) {
            return asked(hierarchy, checked(asked.get()));
        }
        Path root = hierarchy.mountPoint();
        if (Files.isWritable(root)) {
            return root;
        }
        var own = mounts.own(hierarchy);
        Optional<Path> found = Optional.empty();
        for (Path at = own.orElse(root); at != null && at.startsWith(root); at = at.getParent()) {
            if (!isDelegated(at)) {
                break;
            }
            found = Optional.of(at);
        }
        if (found.isEmpty()) {
            throw new CgroupException(
                    hierarchy.readOnly() ? Reason.READ_ONLY : Reason.NOT_DELEGATED,
                    "cgroup",
                    hierarchy.readOnly()
                            ? HostPath.shown(root)
                                    + " is mounted read-only, as in most containers; run with a writable one"
                            : "this user may write neither to " + HostPath.shown(root) + " nor to its own cgroup"
                                    + own.map(p -> " " + HostPath.shown(p)).orElse("")
                                    + "; limits need root, or a delegated cgroup (systemd-run --user --scope -p"
                                    + " Delegate=yes ..., or name one by cgroupParent)",
                    null);
        }
        return found.get();
    }

    /** To be delegated means: the directory, and the files by which processes and controllers come into it. */
    private static boolean isDelegated(Path cgroup) {
        return Files.isWritable(cgroup) && Files.isWritable(cgroup.resolve("cgroup.procs"));
    }

    private static Path asked(Hierarchy hierarchy, String asked) throws CgroupException {
        Path parent = hierarchy.mountPoint().resolve(HostPath.path(asked.substring(1)));
        if (!Files.isDirectory(parent)) {
            throw new CgroupException(
                    Reason.VANISHED,
                    "cgroupParent",
                    "there is no " + HostPath.shown(parent) + "; make it first, in each hierarchy that limits are in",
                    null);
        }
        return parent;
    }

    /**
     * {@return a path that stays below where it begins}
     *
     * @throws IllegalArgumentException if it is not absolute, or has {@code ..}, {@code .} or NUL in it
     */
    public static String checked(String path) {
        if (!path.startsWith("/") || path.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("cgroupParent: \"" + path.replace('\0', '\u2400')
                    + "\" is not an absolute path of a cgroup such as \"/machine.slice\"");
        }
        for (String part : path.split("/")) {
            if (part.equals("..") || part.equals(".")) {
                throw new IllegalArgumentException(
                        "cgroupParent: \"" + path + "\" has \"" + part + "\" in it, which could lead elsewhere");
            }
        }
        return path;
    }

    /**
     * {@return the name of a new cgroup}
     *
     * @throws IllegalArgumentException if it could lead elsewhere or be taken for a control file
     */
    public static String checkedName(String name) {
        boolean fine = !name.isEmpty()
                && name.length() <= 128
                && name.chars().allMatch(c -> c < 0x7f && (Character.isLetterOrDigit(c) || "._-+".indexOf(c) >= 0))
                && !name.startsWith(".");
        // A cgroup may not be called as a file of its parent could be, cgroup.procs or memory.max.
        int dot = name.indexOf('.');
        boolean likeFile = dot > 0
                && name.substring(0, dot).matches("[a-z_]+")
                && !name.endsWith(".slice")
                && !name.endsWith(".scope");
        if (!fine || likeFile) {
            throw new IllegalArgumentException("cgroup: \"" + name + "\" is not a name of letters, digits, _, -, + and"
                    + " dots that differs from those of control files");
        }
        return name;
    }
}
