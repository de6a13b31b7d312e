// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import static dev.caisson.linux.flag.OpenFlags.O_DIRECTORY;
import static dev.caisson.linux.flag.OpenFlags.O_NOFOLLOW;
import static dev.caisson.linux.flag.OpenFlags.O_PATH;
import static dev.caisson.linux.flag.ResolveFlags.RESOLVE_BENEATH;
import static dev.caisson.linux.flag.ResolveFlags.RESOLVE_NO_SYMLINKS;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.flag.RenameFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.DirectoryReader;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * Removes a tree name by name, by descriptors, following nothing. However deep the tree is, few descriptors are open: what
 * lies deeper is moved to the top first. Several may remove one tree at a time: what is gone already is not an error. The tree must
 * not be in use, since whoever adds to it without end is waited for.
 */
public final class TreeRemoval {
    private static final int DEEPEST = 32;
    private static final long HERE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    private static final byte[] SELF = {'.'};

    private final Fd top;

    private TreeRemoval(Fd top) {
        this.top = top;
    }

    /** Removes a file, or a directory with all that is in it; does nothing if it is not there. */
    public static void remove(Fd directory, byte[] name) throws LinuxException {
        try {
            At.unlink(directory, name);
            return;
        } catch (LinuxException refused) {
            if (refused.errno().equals(Errno.ENOENT)) {
                return;
            }
            // EISDIR by Linux, EPERM by POSIX, for directories.
            if (!refused.errno().equals(Errno.EISDIR)
                    && !FileStatus.of(directory, name).isDirectory()) {
                throw refused;
            }
        }
        do {
            try (var tree = open(directory, name)) {
                new TreeRemoval(tree).empty(tree, 0);
            } catch (LinuxException gone) {
                ignoreIfGone(gone);
            }
        } while (!removeIfEmpty(directory, name));
    }

    private static void ignoreIfGone(LinuxException refused) throws LinuxException {
        if (!refused.errno().equals(Errno.ENOENT)) {
            throw refused;
        }
    }

    /** {@return false if another remover has just moved something here} */
    private static boolean removeIfEmpty(Fd directory, byte[] name) throws LinuxException {
        try {
            At.removeDirectory(directory, name);
        } catch (LinuxException refused) {
            if (refused.errno().equals(Errno.ENOTEMPTY)) {
                return false;
            }
            ignoreIfGone(refused);
        }
        return true;
    }

    private static Fd open(Fd directory, byte[] name) throws LinuxException {
        try {
            return At.open(directory, name, O_DIRECTORY | O_NOFOLLOW, 0, HERE);
        } catch (LinuxException refused) {
            if (!refused.errno().equals(Errno.EACCES)) {
                throw refused;
            }
        }
        makeAccessible(directory, name);
        return At.open(directory, name, O_DIRECTORY | O_NOFOLLOW, 0, HERE);
    }

    /** The owner may, even if the permissions say no. */
    private static void makeAccessible(Fd directory, byte[] name) throws LinuxException {
        try (var file = At.open(directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, HERE)) {
            At.changeMode(file, 0700);
        }
    }

    private void empty(Fd directory, int depth) throws LinuxException {
        while (true) {
            boolean found = false;
            try (var list = At.open(directory, SELF, O_DIRECTORY, 0, HERE)) {
                for (var entries = DirectoryReader.next(list);
                        !entries.isEmpty();
                        entries = DirectoryReader.next(list)) {
                    found = true;
                    for (var entry : entries) {
                        remove(directory, entry, depth);
                    }
                }
            }
            if (!found) {
                return;
            }
        }
    }

    private void remove(Fd directory, DirectoryReader.Entry entry, int depth) throws LinuxException {
        try {
            if (!unlinked(directory, entry)) {
                removeDirectory(directory, entry.name(), depth);
            }
        } catch (LinuxException refused) {
            ignoreIfGone(refused);
        }
    }

    private void removeDirectory(Fd directory, byte[] name, int depth) throws LinuxException {
        if (depth >= DEEPEST) {
            byte[] away = (".caisson-removed-" + UUID.randomUUID()).getBytes(StandardCharsets.UTF_8);
            At.rename(directory, name, top, away, RenameFlags.RENAME_NOREPLACE);
            return;
        }
        try (var child = open(directory, name)) {
            empty(child, depth + 1);
        }
        At.removeDirectory(directory, name);
    }

    /** {@return false if it is a directory} */
    private static boolean unlinked(Fd directory, DirectoryReader.Entry entry) throws LinuxException {
        if (entry.type() == FileStatus.Type.DIRECTORY) {
            return false;
        }
        try {
            At.unlink(directory, entry.name());
        } catch (LinuxException refused) {
            boolean unknown = entry.type() == FileStatus.Type.UNKNOWN;
            if (unknown && FileStatus.of(directory, entry.name()).isDirectory()) {
                return false;
            }
            if (!refused.errno().equals(Errno.EACCES)) {
                throw refused;
            }
            At.changeMode(directory, 0700);
            At.unlink(directory, entry.name());
        }
        return true;
    }
}
