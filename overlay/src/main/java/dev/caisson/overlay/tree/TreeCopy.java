// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import static dev.caisson.linux.flag.OpenFlags.O_CREAT;
import static dev.caisson.linux.flag.OpenFlags.O_DIRECTORY;
import static dev.caisson.linux.flag.OpenFlags.O_EXCL;
import static dev.caisson.linux.flag.OpenFlags.O_NOFOLLOW;
import static dev.caisson.linux.flag.OpenFlags.O_PATH;
import static dev.caisson.linux.flag.OpenFlags.O_WRONLY;
import static dev.caisson.linux.flag.ResolveFlags.RESOLVE_BENEATH;
import static dev.caisson.linux.flag.ResolveFlags.RESOLVE_NO_SYMLINKS;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.DirectoryReader;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileData;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.FileSystemType;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Xattrs;
import java.io.ByteArrayOutputStream;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Copies files and trees by descriptors, following no link: bytes are shared where the file system can (reflink) and never
 * pass through this process where the kernel can copy them; holes stay holes, names of one file stay names of one file.
 */
public final class TreeCopy {
    private static final long HERE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    private static final int DEEPEST = 400;
    private static final int LONGEST_PATH = 4000;

    /** What more than content, type and permissions is asked for. */
    public enum Option {
        /** Whatever is in a directory, too. */
        RECURSIVE,
        /** Times. */
        TIMES,
        /** Owner and group, by number; refused if this process may not. */
        OWNER,
        /** Extended attributes: user, trusted, POSIX ACLs and file capabilities; refused if this process may not. */
        XATTRS,
        /** As OWNER and XATTRS, as far as this process may. */
        WHAT_IS_ALLOWED,
        /** A file that is there is replaced, a directory is filled. */
        REPLACE,
        /** Files that the kernel makes up as they are read, too. For sources that are the host's, and not a container's. */
        KERNEL_FILES
    }

    private final Set<Option> options;
    private final Fd target;
    private final Predicate<String> wantedXattrs;
    private final Map<TreeAttributes.Key, byte[]> linked = new HashMap<>();

    private TreeCopy(Set<Option> options, Fd target, Predicate<String> wantedXattrs) {
        this.options = options;
        this.target = target;
        this.wantedXattrs = wantedXattrs;
    }

    /** Copies the file or directory {@code name}, itself if it is a link, to {@code newName}. */
    public static void copy(Fd from, byte[] name, Fd to, byte[] newName, Set<Option> options) throws LinuxException {
        copy(from, name, to, newName, options, TreeCopy::isPortable);
    }

    /** As above, with a choice of extended attributes. */
    public static void copy(
            Fd from, byte[] name, Fd to, byte[] newName, Set<Option> options, Predicate<String> wantedXattrs)
            throws LinuxException {
        new TreeCopy(options, to, wantedXattrs).entry(from, name, to, newName, newName, 0);
    }

    /** Gives a file or directory that is there what another one is: owner, mode, attributes, times, as far as asked for. */
    public static void metadata(
            Fd from, byte[] name, Fd to, byte[] newName, Set<Option> options, Predicate<String> wantedXattrs)
            throws LinuxException {
        try (var source = At.open(from, name, O_PATH | O_NOFOLLOW, 0, HERE)) {
            new TreeCopy(options, to, wantedXattrs).finish(source, FileStatus.of(source), to, newName);
        }
    }

    private static boolean isPortable(String xattr) {
        return xattr.startsWith("user.")
                || xattr.startsWith("trusted.")
                || xattr.startsWith("system.posix_acl_")
                || xattr.equals("security.capability");
    }

    private void entry(Fd from, byte[] name, Fd to, byte[] newName, byte[] path, int depth) throws LinuxException {
        try (var source = At.open(from, name, O_PATH | O_NOFOLLOW, 0, HERE)) {
            var status = FileStatus.of(source);
            if (status.isDirectory()) {
                directory(source, status, to, newName, path, depth);
                return;
            }
            if (options.contains(Option.REPLACE)) {
                removeFile(to, newName);
            }
            if (status.links() > 1 && linkedAlready(status, to, newName)) {
                return;
            }
            switch (status.type()) {
                case FILE -> {
                    refuseKernelFile(source, name);
                    file(source, status, to, newName);
                }
                case SYMBOLIC_LINK -> At.makeSymbolicLink(At.readLink(source), to, newName);
                case PIPE, SOCKET -> At.makeNode(to, newName, status.mode(), 0);
                default -> device(status, to, newName);
            }
            finish(source, status, to, newName);
            if (status.links() > 1 && path.length <= LONGEST_PATH) {
                linked.put(new TreeAttributes.Key(status.device(), status.inode()), path);
            }
        }
    }

    /** Whoever keeps owners wants the tree as it is; for everybody else a device of a container is an attack. */
    private void device(FileStatus status, Fd to, byte[] newName) throws LinuxException {
        if (!options.contains(Option.OWNER)) {
            throw new LinuxException(Errno.EPERM, "copy the device " + Arg.quote(newName));
        }
        At.makeNode(to, newName, status.mode(), status.rdev());
    }

    /** A container decides what is mounted where in it: any path may lead to the kernel's log, say, or to what never ends. */
    private void refuseKernelFile(Fd source, byte[] name) throws LinuxException {
        if (!options.contains(Option.KERNEL_FILES) && FileSystemType.of(source).isOfTheKernel()) {
            throw new LinuxException(Errno.EPERM, "copy " + Arg.quote(name) + ", which is an interface of the kernel");
        }
    }

    private static void removeFile(Fd directory, byte[] name) throws LinuxException {
        try {
            At.unlink(directory, name);
        } catch (LinuxException refused) {
            if (!refused.errno().equals(Errno.ENOENT)) {
                throw refused;
            }
        }
    }

    private boolean linkedAlready(FileStatus status, Fd to, byte[] newName) throws LinuxException {
        byte[] first = linked.get(new TreeAttributes.Key(status.device(), status.inode()));
        if (first == null) {
            return false;
        }
        try (var file = At.open(target, first, O_PATH | O_NOFOLLOW, 0, HERE)) {
            At.link(file, to, newName);
            return true;
        }
    }

    private static void file(Fd source, FileStatus status, Fd to, byte[] newName) throws LinuxException {
        try (var in = Files.open(At.self(source), OpenFlags.O_RDONLY, 0);
                var out = At.open(to, newName, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0600, HERE)) {
            try {
                if (!FileData.share(in, out)) {
                    FileData.copy(in, out, status.size());
                }
            } catch (LinuxException failed) {
                removeFile(to, newName); // A full disk leaves no file that is less than it seems.
                throw failed;
            }
        }
    }

    private void directory(Fd source, FileStatus status, Fd to, byte[] newName, byte[] path, int depth)
            throws LinuxException {
        if (depth > DEEPEST) {
            throw new LinuxException(Errno.ENAMETOOLONG, "copy directories nested deeper than " + DEEPEST);
        }
        try {
            At.makeDirectory(to, newName, 0700);
        } catch (LinuxException refused) {
            if (!refused.errno().equals(Errno.EEXIST) || !options.contains(Option.REPLACE)) {
                throw refused;
            }
        }
        if (options.contains(Option.RECURSIVE)) {
            try (var list = Files.open(At.self(source), O_DIRECTORY, 0);
                    var into = At.open(to, newName, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, HERE)) {
                for (var entries = DirectoryReader.next(list);
                        !entries.isEmpty();
                        entries = DirectoryReader.next(list)) {
                    for (var entry : entries) {
                        entry(list, entry.name(), into, entry.name(), joined(path, entry.name()), depth + 1);
                    }
                }
            }
        }
        finish(source, status, to, newName);
    }

    private static byte[] joined(byte[] path, byte[] name) {
        var out = new ByteArrayOutputStream(path.length + 1 + name.length);
        out.writeBytes(path);
        out.write('/');
        out.writeBytes(name);
        return out.toByteArray();
    }

    /** Owner first: changing it takes set-user-id bits and file capabilities away. Times last. */
    private void finish(Fd source, FileStatus status, Fd to, byte[] newName) throws LinuxException {
        try (var made = At.open(to, newName, O_PATH | O_NOFOLLOW, 0, HERE)) {
            boolean lenient = options.contains(Option.WHAT_IS_ALLOWED);
            boolean owned = true;
            if (options.contains(Option.OWNER) || lenient) {
                owned = allowed(lenient, () -> At.changeOwner(made, status.uid(), status.gid()));
            }
            if (!status.isSymbolicLink()) {
                // Nobody gets a set-user-id file of an owner it was not meant for.
                At.changeMode(
                        made,
                        options.contains(Option.OWNER) || lenient && owned
                                ? status.permissions()
                                : status.permissions() & 01777);
            }
            if (options.contains(Option.XATTRS) || lenient) {
                for (String xattr : Xattrs.list(source)) {
                    if (wantedXattrs.test(xattr)) {
                        var value = Xattrs.get(source, xattr);
                        if (value.isPresent()) {
                            var _ = allowed(lenient, () -> Xattrs.set(made, xattr, value.get()));
                        }
                    }
                }
            }
            if (options.contains(Option.TIMES)) {
                At.changeTimes(made, status.accessed(), status.modified());
            }
        }
    }

    private interface Change {
        void apply() throws LinuxException;
    }

    private static boolean allowed(boolean lenient, Change change) throws LinuxException {
        try {
            change.apply();
            return true;
        } catch (LinuxException refused) {
            if (!lenient) {
                throw refused;
            }
            return false;
        }
    }
}
