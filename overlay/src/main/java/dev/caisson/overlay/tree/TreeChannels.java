// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import static dev.caisson.linux.sys.At.O_EXCL;
import static dev.caisson.linux.sys.At.O_NOFOLLOW;
import static dev.caisson.linux.sys.Files.O_CREAT;
import static dev.caisson.linux.sys.Files.O_NONBLOCK;
import static dev.caisson.linux.sys.Files.O_PATH;
import static dev.caisson.linux.sys.Files.O_RDWR;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
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

    private final Opener opener;
    private final Placer placer;
    private final String path;

    /** Opens the file. */
    interface Opener {
        Fd open(long flags, int mode) throws LinuxException;
    }

    /** Finds the directory of the file. */
    interface Placer {
        SafeTree.Place place() throws LinuxException;
    }

    TreeChannels(Opener opener, Placer placer, String path) {
        this.opener = opener;
        this.placer = placer;
        this.path = path;
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
                ? create(O_EXCL | how, mode)
                : writing && creating ? findOrCreate(how, mode) : new Opened(opener.open(O_PATH | how, 0), false)) {
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
            throw Refusals.of(refused, path);
        }
    }

    /** A file, and whether it is ours. */
    private record Opened(Fd file, boolean made) implements AutoCloseable {
        @Override
        public void close() {
            file.close();
        }
    }

    private Opened findOrCreate(long how, int mode) throws LinuxException {
        try {
            return new Opened(opener.open(O_PATH | how, 0), false);
        } catch (LinuxException refused) {
            if (!refused.errno().equals(Errno.ENOENT)) {
                throw refused;
            }
        }
        return create(how, mode);
    }

    /** Not blocking, because somebody may put a pipe there at this moment. */
    private Opened create(long flags, int mode) throws LinuxException {
        return new Opened(opener.open(flags | O_CREAT | O_RDWR | O_NONBLOCK, mode | OWNER_MAY_WRITE), true);
    }

    private void checkRegular(Fd file) throws IOException {
        var type = FileStatus.of(file).type();
        if (type != FileStatus.Type.FILE) {
            String what = type.name().toLowerCase(Locale.ROOT).replace('_', ' ');
            throw new FileSystemException(
                    path,
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
            throw withPath(new AccessDeniedException(path, null, refused.getReason()), refused);
        } catch (FileSystemException refused) {
            throw withPath(new FileSystemException(path, null, refused.getReason()), refused);
        }
    }

    private static FileSystemException withPath(FileSystemException better, FileSystemException original) {
        better.initCause(original);
        return better;
    }

    private void delete() throws LinuxException {
        try (var place = placer.place()) {
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
