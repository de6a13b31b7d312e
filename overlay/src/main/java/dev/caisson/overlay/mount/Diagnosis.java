// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mount;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.sys.FileData;
import dev.caisson.linux.sys.FileData.Space;
import dev.caisson.linux.sys.FileSystemType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Why the kernel refused an overlay: which directory, on which file system, and the way out. Looks at the directories after
 * the fact; the happy path pays nothing.
 */
public final class Diagnosis {
    private Diagnosis() {}

    /**
     * {@return the likely cause and the remedy, as one sentence without a full stop; empty if nothing is found}
     *
     * @param userNamespace whether it was to be mounted inside a user namespace
     */
    public static Optional<String> of(
            List<Path> lower, Optional<OverlayMounter.UpperPaths> upper, Errno errno, boolean userNamespace) {
        for (Path layer : lower) {
            if (!Files.exists(layer)) {
                return Optional.of(
                        "the layer " + HostPath.shown(layer) + " does not exist, or may not be seen by this user");
            }
            if (!Files.isDirectory(layer)) {
                return Optional.of("the layer " + HostPath.shown(layer) + " is not a directory");
            }
        }
        var overlapping = errno.equals(Errno.ELOOP) ? overlap(lower, upper) : Optional.<String>empty();
        if (overlapping.isPresent()) {
            return overlapping;
        }
        if (upper.isPresent()) {
            var cause = upper(
                    HostPath.path(upper.get().directory()),
                    HostPath.path(upper.get().work()),
                    errno);
            if (cause.isPresent()) {
                return cause;
            }
        }
        if (errno.equals(Errno.EINVAL)) {
            return nested(lower).or(() -> upper.flatMap(u -> unfit(HostPath.path(u.directory()))));
        }
        if (errno.equals(Errno.EPERM)) {
            return Optional.of(
                    userNamespace
                            ? "this kernel or an LSM forbids overlayfs in user namespaces (Linux 5.11 allows it); name"
                                    + " a fallback, such as a copy"
                            : "mounting takes CAP_SYS_ADMIN; an ordinary user needs a user namespace around it");
        }
        if (errno.equals(Errno.ENODEV)) {
            return Optional.of("this kernel has no overlayfs (modprobe overlay, or CONFIG_OVERLAY_FS)");
        }
        if (errno.equals(Errno.ENOSPC)) {
            return Optional.of("the file system of the upper is full, in bytes or in inodes");
        }
        return Optional.empty();
    }

    private static Optional<String> overlap(List<Path> lower, Optional<OverlayMounter.UpperPaths> upper) {
        var all = new ArrayList<Path>(lower);
        upper.ifPresent(u -> {
            all.add(HostPath.path(u.directory()));
            all.add(HostPath.path(u.work()));
        });
        var real = new ArrayList<Path>();
        for (Path path : all) {
            try {
                real.add(path.toRealPath());
            } catch (IOException detached) {
                real.add(path); // On a mount without a place there is no real path.
            }
        }
        for (int i = 0; i < real.size(); i++) {
            for (int j = 0; j < real.size(); j++) {
                if (i != j && real.get(i).startsWith(real.get(j)) && sameFileSystem(all.get(i), all.get(j))) {
                    return Optional.of(
                            HostPath.shown(all.get(i))
                                    + (real.get(i).equals(real.get(j)) ? " and " : " lies inside another: ")
                                    + HostPath.shown(all.get(j))
                                    + (real.get(i).equals(real.get(j)) ? " are one directory" : "")
                                    + ", which overlayfs refuses; every directory lies inside a layer \"/\" of its file system");
                }
            }
        }
        return Optional.empty();
    }

    private static boolean sameFileSystem(Path one, Path other) {
        try {
            return Files.getAttribute(one, "unix:dev").equals(Files.getAttribute(other, "unix:dev"));
        } catch (IOException vanished) {
            return false;
        }
    }

    private static Optional<String> upper(Path upper, Path work, Errno errno) {
        if (!sameFileSystem(upper, work)) {
            return Optional.of("the upper " + HostPath.shown(upper) + " and its work directory " + HostPath.shown(work)
                    + " are on different file systems; put both on one");
        }
        var on = fileSystem(upper);
        if (on.filter(Space::readOnly).isPresent()) {
            return Optional.of("the upper " + HostPath.shown(upper) + " is on a " + named(on) + " mounted read-only");
        }
        if (errno.equals(Errno.EBUSY)) {
            return Optional.of(
                    "the upper " + HostPath.shown(upper) + " or its work directory is in use by another overlay");
        }
        if (errno.equals(Errno.ESTALE)) {
            return Optional.of("the upper " + HostPath.shown(upper)
                    + " was made over other layers, and index=on or verified origins keep it to them");
        }
        if (errno.equals(Errno.EINVAL) && isOverlay(on)) {
            return Optional.of("the upper " + HostPath.shown(upper)
                    + " is itself on an overlay, which cannot hold another's changes;"
                    + " leave the upper out (memory), put it on a volume, or name a fallback");
        }
        return Optional.empty();
    }

    private static Optional<String> unfit(Path upper) {
        return Optional.of("the upper " + HostPath.shown(upper) + " is on " + named(fileSystem(upper))
                + "; an upper needs a file system with extended attributes, file types in"
                + " directories, and rename with whiteouts, such as ext4, xfs, btrfs or tmpfs; put it on one, or name a"
                + " fallback");
    }

    private static Optional<String> nested(List<Path> lower) {
        for (Path layer : lower) {
            if (isOverlay(fileSystem(layer))) {
                return Optional.of("the layer " + HostPath.shown(layer)
                        + " is itself on an overlay, and file systems may be stacked two deep; name the layers"
                        + " below it instead, or a fallback");
            }
        }
        return Optional.empty();
    }

    private static Optional<Space> fileSystem(Path path) {
        try {
            return Optional.of(FileData.space(HostPath.of(path)));
        } catch (LinuxException vanished) {
            return Optional.empty();
        }
    }

    private static boolean isOverlay(Optional<Space> on) {
        return on.filter(space -> space.type().equals(FileSystemType.OVERLAY)).isPresent();
    }

    private static String named(Optional<Space> on) {
        return on.map(space -> space.type().toString()).orElse("unknown file system");
    }
}
