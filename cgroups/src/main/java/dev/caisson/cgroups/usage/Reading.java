// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.usage;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.text.Text;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.AtFlags;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Native;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Reads many files of cgroup directories, one after the other, into the same memory. For one thread at a time. To open and close
 * a file costs several times what reading it does, but to keep some twenty descriptors for each container is no better choice:
 * {@link #once} opens and closes, {@link #again} keeps open what it has read, for who reads it often.
 */
public final class Reading implements AutoCloseable {
    private static final int ENOUGH_FOR_MOST = 8192;
    private static final int MOST = 1 << 20;
    private static final int LONGEST_NAME = 256;

    private final Arena arena;
    private final MemorySegment errno;
    private final MemorySegment name;
    private final @Nullable Map<Path, Directory> kept;
    private MemorySegment buffer;

    @SuppressWarnings("MustBeClosedChecker") // It is closed with this.
    private Reading(boolean keeps) {
        arena = keeps ? Arena.ofShared() : Arena.ofConfined();
        kept = keeps ? new HashMap<>() : null;
        errno = Native.errnoMemory(arena);
        name = arena.allocate(LONGEST_NAME);
        buffer = arena.allocate(ENOUGH_FOR_MOST);
    }

    /** {@return one that is used by this thread, for one snapshot} */
    public static Reading once() {
        return new Reading(false);
    }

    /** {@return one that keeps open what it has read, and may be used by any thread, one at a time} */
    public static Reading again() {
        return new Reading(true);
    }

    /** A directory whose files are read. */
    public final class Directory implements AutoCloseable {
        private final Path path;
        private final long fd;
        /** Descriptors by name; of what is not there, the error. */
        private final Map<String, Long> files = new HashMap<>(kept == null ? 0 : 64);

        private Directory(Path path, long fd) {
            this.path = path;
            this.fd = fd;
        }

        private long open(String file) {
            return Native.call(errno, Syscall.OPENAT, fd, name(file), OpenFlags.O_RDONLY | OpenFlags.O_CLOEXEC, 0);
        }

        /**
         * {@return the text of a file, until the next one is read; empty if the kernel does not have it here}
         *
         * @throws CgroupException if the directory was removed
         */
        public Optional<Text> text(String file) throws IOException {
            long open = kept == null ? open(file) : files.computeIfAbsent(file, this::open);
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
                if (kept == null) {
                    end(open);
                }
            }
        }

        private void end(long open) {
            var _ = Native.call(errno, Syscall.CLOSE, open, 0, 0, 0);
        }

        /** {@return the number that is a file's text; empty if it is none, or the kernel does not have the file here} */
        public OptionalLong number(String file) throws IOException {
            var text = text(file);
            return text.isPresent() ? text.get().number() : OptionalLong.empty();
        }

        private Optional<Text> absent(String file, String call, long result) throws IOException {
            var why = Native.errno(result);
            String said = call + "(" + Arg.quote(HostPath.of(path.resolve(file))) + ") = " + why;
            if (why.equals(Errno.ENODEV)) {
                throw vanished(path, said);
            }
            // EOPNOTSUPP: pressure is not counted.
            if (why.equals(Errno.ENOENT) || why.equals(Errno.EOPNOTSUPP)) {
                return Optional.empty();
            }
            throw new LinuxException(why, call + "(" + Arg.quote(HostPath.of(path.resolve(file))) + ")");
        }

        /** Closes it, unless it is kept until the end of the reading. */
        @Override
        public void close() {
            if (kept == null) {
                end(fd);
            }
        }

        private void letGo() {
            files.values().stream().filter(open -> !Native.failed(open)).forEach(this::end);
            end(fd);
        }
    }

    /**
     * Opens a directory.
     *
     * @throws CgroupException if it was removed
     */
    public Directory open(Path directory) throws IOException {
        var known = kept == null ? null : kept.get(directory);
        if (known != null) {
            return known;
        }
        var opened = new Directory(directory, descriptor(directory));
        if (kept != null) {
            kept.put(directory, opened);
        }
        return opened;
    }

    private long descriptor(Path directory) throws IOException {
        String path = HostPath.of(directory);
        var bytes = path.length() < LONGEST_NAME / 4 ? write(path) : At.cString(arena, path);
        long fd = Native.call(
                errno,
                Syscall.OPENAT,
                AtFlags.AT_FDCWD,
                bytes.address(),
                OpenFlags.O_PATH | OpenFlags.O_DIRECTORY | OpenFlags.O_CLOEXEC,
                0);
        if (Native.failed(fd)) {
            var why = Native.errno(fd);
            String call = "openat(AT_FDCWD, " + Arg.quote(path) + ", O_PATH)";
            if (why.equals(Errno.ENOENT) || why.equals(Errno.ENODEV)) {
                throw vanished(directory, call + " = " + why);
            }
            throw new LinuxException(why, call);
        }
        return fd;
    }

    private static CgroupException vanished(Path directory, String said) {
        return new CgroupException(
                Reason.VANISHED, "usage", said + "; somebody removed the cgroup " + HostPath.shown(directory), null);
    }

    private long name(String file) {
        return write(file).address();
    }

    private MemorySegment write(String text) {
        byte[] bytes = FileNames.encode(text);
        MemorySegment.copy(bytes, 0, name, JAVA_BYTE, 0, bytes.length);
        name.set(JAVA_BYTE, bytes.length, (byte) 0);
        return name;
    }

    @Override
    public void close() {
        if (kept != null) {
            kept.values().forEach(Directory::letGo);
        }
        arena.close();
    }
}
