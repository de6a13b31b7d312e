// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import static dev.caisson.overlay.tree.TreeCopy.Option.RECURSIVE;
import static dev.caisson.overlay.tree.TreeCopy.Option.TIMES;
import static dev.caisson.overlay.tree.TreeCopy.Option.WHAT_IS_ALLOWED;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.flag.RenameFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.FileStatus;
import java.io.IOException;
import java.nio.file.CopyOption;
import java.nio.file.LinkOption;
import java.nio.file.StandardCopyOption;
import java.util.EnumSet;
import java.util.Set;

/** {@code Files.copy} and {@code Files.move} between paths inside roots, the same or two. */
final class Transfer {
    private Transfer() {}

    static void copy(TreePath source, TreePath target, Set<CopyOption> options) throws IOException {
        refuseUnknown(options);
        if (options.contains(StandardCopyOption.ATOMIC_MOVE)) {
            throw new UnsupportedOperationException("ATOMIC_MOVE is for moves");
        }
        var how = EnumSet.noneOf(TreeCopy.Option.class);
        if (options.contains(StandardCopyOption.COPY_ATTRIBUTES)) {
            how.add(TIMES);
            how.add(WHAT_IS_ALLOWED);
        }
        var from = options.contains(LinkOption.NOFOLLOW_LINKS) ? source : (TreePath) source.toRealPath();
        try (var old = from.getFileSystem().tree().place(from.bytes());
                var place = target.getFileSystem().tree().place(target.bytes())) {
            if (isSame(old, place)) {
                return;
            }
            if (options.contains(StandardCopyOption.REPLACE_EXISTING)) {
                deleteIfThere(place);
            }
            var _ = target.getFileSystem().tree().asOwner(() -> {
                TreeCopy.copy(old.directory(), old.name(), place.directory(), place.name(), how);
                return place;
            });
        } catch (LinuxException refused) {
            throw Refusals.of(refused, target.toString());
        }
    }

    static void move(TreePath source, TreePath target, Set<CopyOption> options) throws IOException {
        refuseUnknown(options);
        boolean atomic = options.contains(StandardCopyOption.ATOMIC_MOVE);
        boolean replace = options.contains(StandardCopyOption.REPLACE_EXISTING);
        try (var old = source.getFileSystem().tree().place(source.bytes());
                var place = target.getFileSystem().tree().place(target.bytes())) {
            if (isSame(old, place)) {
                return;
            }
            if (replace && !atomic) {
                deleteIfThere(place);
            }
            var _ = target.getFileSystem().tree().asOwner(() -> {
                move(old, place, atomic);
                return place;
            });
        } catch (LinuxException refused) {
            throw Refusals.of(refused, source.toString(), target.toString());
        }
    }

    private static void move(SafeTree.Place old, SafeTree.Place place, boolean atomic) throws LinuxException {
        try {
            int flags = atomic ? 0 : RenameFlags.RENAME_NOREPLACE;
            At.rename(old.directory(), old.name(), place.directory(), place.name(), flags);
        } catch (LinuxException refused) {
            // Also what overlayfs says of a directory that is in a lower layer, unless redirect_dir is on.
            if (atomic || !refused.errno().equals(Errno.EXDEV)) {
                throw refused;
            }
            TreeCopy.copy(
                    old.directory(),
                    old.name(),
                    place.directory(),
                    place.name(),
                    EnumSet.of(RECURSIVE, TIMES, WHAT_IS_ALLOWED));
            TreeRemoval.remove(old.directory(), old.name());
        }
    }

    private static void refuseUnknown(Set<CopyOption> options) {
        for (var option : options) {
            if (!(option instanceof StandardCopyOption) && option != LinkOption.NOFOLLOW_LINKS) {
                throw new UnsupportedOperationException(option.toString());
            }
        }
    }

    private static boolean isSame(SafeTree.Place one, SafeTree.Place other) throws LinuxException {
        var first = FileStatus.of(one.directory(), one.name());
        try {
            return first.isSameFile(FileStatus.of(other.directory(), other.name()));
        } catch (LinuxException missing) {
            if (missing.errno().equals(Errno.ENOENT)) {
                return false;
            }
            throw missing;
        }
    }

    private static void deleteIfThere(SafeTree.Place place) throws LinuxException {
        try {
            TreeProvider.delete(place);
        } catch (LinuxException refused) {
            if (!refused.errno().equals(Errno.ENOENT)) {
                throw refused;
            }
        }
    }
}
