// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.file;

import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Native;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Reads many files of cgroup directories, one after the other, into the same memory. For one thread. Files are opened relative
 * to their directory and closed at once: to keep some twenty descriptors open for each container would save half of the time.
 */
public final class Reading implements AutoCloseable {
    private static final int ENOUGH_FOR_MOST = 8192;
    private static final int MOST = 1 << 20;
    private static final int LONGEST_NAME = 256;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment errno = Native.errnoMemory(arena);
    private final MemorySegment name = arena.allocate(LONGEST_NAME);
    private MemorySegment buffer = arena.allocate(ENOUGH_FOR_MOST);

    /** A directory whose files are read. */
    public final class Directory implements AutoCloseable {
        private final Path path;
        private final long fd;

        private Directory(Path path, long fd) {
            this.path = path;
            this.fd = fd;
        }

        /**
         * {@return the text of a file, until the next one is read; empty if the kernel does not have it here}
         *
         * @throws CgroupException if the directory was removed
         */
        public Optional<Text> text(String file) throws IOException {
            long open = Native.call(errno, Syscall.OPENAT, fd, name(file), Files.O_RDONLY | Files.O_CLOEXEC, 0);
            if (Native.failed(open)) {
                return absent(file, "openat", open);
            }
            try {
                while (true) {
                    long read = Native.call(errno, Syscall.PREAD64, open, buffer.address(), buffer.byteSize(), 0);
                    if (Native.failed(read)) {
                        return absent(file, "pread64", read);
                    }
                    // The kernel makes such a file's text as a whole, so that one read gets all that fits.
                    if (read < buffer.byteSize() || buffer.byteSize() >= MOST) {
                        return Optional.of(new Text(buffer, (int) read));
                    }
                    buffer = arena.allocate(2 * buffer.byteSize());
                }
            } finally {
                var _ = Native.call(errno, Syscall.CLOSE, open, 0, 0, 0);
            }
        }

        /** {@return the number that is a file's text; empty if it is none, or the kernel does not have the file here} */
        public OptionalLong number(String file) throws IOException {
            var text = text(file);
            return text.isPresent() ? text.get().number() : OptionalLong.empty();
        }

        private Optional<Text> absent(String file, String call, long result) throws IOException {
            var why = Native.errno(result);
            String said = call + "(" + Arg.quote(path.resolve(file).toString()) + ") = " + why;
            if (why.equals(Errno.ENODEV)) {
                throw vanished(path, said);
            }
            // EOPNOTSUPP: pressure is not counted.
            if (why.equals(Errno.ENOENT) || why.equals(Errno.EOPNOTSUPP)) {
                return Optional.empty();
            }
            throw new LinuxException(
                    why, call + "(" + Arg.quote(path.resolve(file).toString()) + ")");
        }

        @Override
        public void close() {
            var _ = Native.call(errno, Syscall.CLOSE, fd, 0, 0, 0);
        }
    }

    /**
     * Opens a directory.
     *
     * @throws CgroupException if it was removed
     */
    public Directory open(Path directory) throws IOException {
        String path = directory.toString();
        var bytes = path.length() < LONGEST_NAME / 4 ? write(path) : arena.allocateFrom(path);
        long fd = Native.call(
                errno,
                Syscall.OPENAT,
                Files.AT_FDCWD,
                bytes.address(),
                Files.O_PATH | Files.O_DIRECTORY | Files.O_CLOEXEC,
                0);
        if (Native.failed(fd)) {
            var why = Native.errno(fd);
            String call = "openat(AT_FDCWD, " + Arg.quote(path) + ", O_PATH)";
            if (why.equals(Errno.ENOENT) || why.equals(Errno.ENODEV)) {
                throw vanished(directory, call + " = " + why);
            }
            throw new LinuxException(why, call);
        }
        return new Directory(directory, fd);
    }

    private static CgroupException vanished(Path directory, String said) {
        return new CgroupException(Reason.VANISHED, "usage", said + "; somebody removed the cgroup " + directory, null);
    }

    private long name(String file) {
        return write(file).address();
    }

    private MemorySegment write(String text) {
        name.setString(0, text, StandardCharsets.UTF_8);
        return name;
    }

    @Override
    public void close() {
        arena.close();
    }
}
