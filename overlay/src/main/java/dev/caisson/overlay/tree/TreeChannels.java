// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import static dev.caisson.linux.flag.OpenFlags.O_CREAT;
import static dev.caisson.linux.flag.OpenFlags.O_EXCL;
import static dev.caisson.linux.flag.OpenFlags.O_NOFOLLOW;
import static dev.caisson.linux.flag.OpenFlags.O_NONBLOCK;
import static dev.caisson.linux.flag.OpenFlags.O_PATH;
import static dev.caisson.linux.flag.OpenFlags.O_RDWR;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.flag.ResolveFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.FileSystemType;
import dev.caisson.linux.sys.Identity;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;

/**
 * Opens regular files. The file is found, or made, inside the root first, as a descriptor that can do no harm; when it is
 * known to be a regular file, the JDK opens that very descriptor once more by /proc/self/fd, and so gives a full {@link
 * FileChannel}: mapping, locks, transfers.
 */
final class TreeChannels {
    private static final int ALL_MAY_WRITE = 0666;
    private static final int OWNER_MAY_WRITE = 0600;

    /** As many links as the kernel follows. */
    private static final int MOST_LINKS = 40;

    private final Files files;
    private final byte[] path;
    private final String text;

    /** Where paths are resolved. */
    interface Files {
        Fd open(byte[] path, long flags) throws LinuxException;

        /** Finds the directory of a file. */
        SafeTree.Place place(byte[] path) throws LinuxException;

        /** Does what makes files, as their owner to be. */
        Fd asOwner(Identity.Work<Fd> work) throws LinuxException;
    }

    TreeChannels(Files files, byte[] path, String text) {
        this.files = files;
        this.path = path;
        this.text = text;
    }

    FileChannel open(Set<? extends OpenOption> options, FileAttribute<?>... attributes) throws IOException {
        var wanted = new HashSet<OpenOption>(options);
        boolean deleting = wanted.remove(StandardOpenOption.DELETE_ON_CLOSE);
        boolean follows = !wanted.remove(LinkOption.NOFOLLOW_LINKS);
        boolean creatingNew = wanted.remove(StandardOpenOption.CREATE_NEW);
        boolean creating = wanted.remove(StandardOpenOption.CREATE);
        var _ = wanted.remove(StandardOpenOption.SPARSE);
        boolean writing = wanted.contains(StandardOpenOption.WRITE) || wanted.contains(StandardOpenOption.APPEND);
        if (wanted.contains(StandardOpenOption.APPEND) && wanted.contains(StandardOpenOption.TRUNCATE_EXISTING)) {
            throw new IllegalArgumentException("APPEND contradicts TRUNCATE_EXISTING");
        }
        int mode = permissions(attributes);
        long how = follows ? 0 : O_NOFOLLOW;
        try (var opened = writing && creatingNew
                ? create(path, mode)
                : writing && creating
                        ? findOrCreate(follows, mode)
                        : new Opened(files.open(path, O_PATH | how), false)) {
            checkRegular(opened.file());
            var channel = reopen(opened.file(), wanted);
            try {
                if (opened.made() && (mode & OWNER_MAY_WRITE) != OWNER_MAY_WRITE) {
                    At.changeMode(opened.file(), mode);
                }
                if (deleting) {
                    delete();
                }
                return channel;
            } catch (IOException | RuntimeException failed) {
                channel.close();
                throw failed;
            }
        } catch (LinuxException refused) {
            throw Refusals.of(refused, text);
        }
    }

    /** A file, and whether it is ours. */
    private record Opened(Fd file, boolean made) implements AutoCloseable {
        @Override
        public void close() {
            file.close();
        }
    }

    /**
     * As open(2) does with O_CREAT, links that lead to nothing included, but in steps: that call itself would open whatever
     * somebody puts there at this moment.
     */
    private Opened findOrCreate(boolean follows, int mode) throws LinuxException {
        byte[] at = path;
        for (int links = 0; links < MOST_LINKS; links++) {
            try {
                return new Opened(files.open(at, follows ? O_PATH : O_PATH | O_NOFOLLOW), false);
            } catch (LinuxException refused) {
                if (!refused.errno().equals(Errno.ENOENT)) {
                    throw refused;
                }
            }
            try {
                return create(at, mode);
            } catch (LinuxException refused) {
                if (!refused.errno().equals(Errno.EEXIST)) {
                    throw refused;
                }
            }
            at = target(at);
        }
        throw new LinuxException(Errno.ELOOP, "find where " + Arg.quote(path) + " leads");
    }

    /** {@return where a path leads if it is a link; the path itself if it was one} */
    private byte[] target(byte[] at) throws LinuxException {
        try (var link = files.open(at, O_PATH | O_NOFOLLOW)) {
            if (FileStatus.of(link).type() != FileStatus.Type.SYMBOLIC_LINK) {
                return at;
            }
            byte[] target = At.readLink(link);
            if (target.length > 0 && target[0] == '/') {
                return target;
            }
            int slash = at.length;
            while (slash > 0 && at[slash - 1] != '/') {
                slash--;
            }
            byte[] joined = Arrays.copyOf(at, slash + target.length);
            System.arraycopy(target, 0, joined, slash, target.length);
            return joined;
        } catch (LinuxException refused) {
            if (refused.errno().equals(Errno.ENOENT)) {
                return at; // It was removed meanwhile.
            }
            throw refused;
        }
    }

    /** Not blocking, because somebody may put a pipe there at this moment; that is refused, but a link would be followed. */
    private Opened create(byte[] at, int mode) throws LinuxException {
        try (var place = files.place(at)) {
            return new Opened(
                    files.asOwner(() -> At.open(
                            place.directory(),
                            place.name(),
                            O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_NONBLOCK,
                            mode | OWNER_MAY_WRITE,
                            ResolveFlags.RESOLVE_BENEATH | ResolveFlags.RESOLVE_NO_SYMLINKS)),
                    true);
        }
    }

    private void checkRegular(Fd file) throws IOException {
        if (FileSystemType.of(file).isOfTheKernel()) {
            throw new FileSystemException(
                    text,
                    null,
                    "only files of data are opened, and this is an interface of the kernel (procfs, sysfs or the like):"
                            + " it would answer with this process's rights, and could hang this thread");
        }
        var type = FileStatus.of(file).type();
        if (type != FileStatus.Type.FILE) {
            String what = type.name().toLowerCase(Locale.ROOT).replace('_', ' ');
            throw new FileSystemException(
                    text,
                    null,
                    type == FileStatus.Type.SYMBOLIC_LINK
                            ? "it is a symbolic link, which was not to be followed"
                            : "only regular files are opened, and this is a " + what
                                    + ": it could hang this thread or act on the host");
        }
    }

    private FileChannel reopen(Fd file, Set<OpenOption> options) throws IOException {
        try {
            return FileChannel.open(Path.of(At.self(file)), options);
        } catch (AccessDeniedException refused) {
            throw withPath(new AccessDeniedException(text, null, refused.getReason()), refused);
        } catch (FileSystemException refused) {
            throw withPath(new FileSystemException(text, null, refused.getReason()), refused);
        }
    }

    private static FileSystemException withPath(FileSystemException better, FileSystemException original) {
        better.initCause(original);
        return better;
    }

    private void delete() throws LinuxException {
        try (var place = files.place(path)) {
            At.unlink(place.directory(), place.name());
        }
    }

    /** {@return the mode that attributes ask for; 0666 without one, before the umask of this process} */
    static int permissions(FileAttribute<?>... attributes) {
        return permissions(ALL_MAY_WRITE, attributes);
    }

    @SuppressWarnings("unchecked")
    static int permissions(int usual, FileAttribute<?>... attributes) {
        int mode = usual;
        for (var attribute : attributes) {
            if (!attribute.name().equals("posix:permissions")) {
                throw new UnsupportedOperationException("'" + attribute.name() + "' cannot be set on creation");
            }
            mode = TreeAttributes.mode((Set<PosixFilePermission>) attribute.value());
        }
        return mode;
    }
}
