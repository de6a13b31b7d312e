// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.file;

import static dev.caisson.linux.flag.AtFlags.AT_REMOVEDIR;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.AtFlags;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Epoll;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Native;
import dev.caisson.linux.sys.Poll;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/** Files and directories of cgroup file systems, with the errno of what was refused, which says what is wrong. */
public final class ControlFile {
    private static final int DIRECTORY_MODE = 0755;
    private static final int CHUNK = 4096;

    private ControlFile() {}

    /** Writes a value in one write(2), as control files want it. */
    public static void write(Path file, String value) throws LinuxException {
        try (var arena = Arena.ofConfined();
                var fd = open(file, OpenFlags.O_WRONLY)) {
            byte[] text = value.getBytes(StandardCharsets.UTF_8);
            var bytes = arena.allocate(Math.max(1, text.length));
            MemorySegment.copy(text, 0, bytes, JAVA_BYTE, 0, text.length);
            long result = Native.call(Syscall.WRITE, fd.number(), bytes.address(), text.length);
            if (Native.failed(result)) {
                throw new LinuxException(
                        Native.errno(result), "write(" + Arg.quote(HostPath.of(file)) + ", " + Arg.quote(value) + ")");
            }
        }
    }

    /** {@return all of a file, without blanks around it} */
    public static String read(Path file) throws LinuxException {
        try (var fd = open(file, OpenFlags.O_RDONLY)) {
            return read(fd);
        }
    }

    private static Fd open(Path file, int flags) throws LinuxException {
        return Files.open(HostPath.of(file), flags, 0);
    }

    private static String read(Fd fd) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(CHUNK);
            byte[] all = new byte[0];
            while (true) {
                long n = Native.call(Syscall.PREAD64, fd.number(), buffer.address(), CHUNK, all.length, 0, 0);
                if (Native.failed(n)) {
                    throw new LinuxException(Native.errno(n), "pread64(" + fd + ")");
                }
                if (n == 0) {
                    return new String(all, StandardCharsets.UTF_8).strip();
                }
                all = Arrays.copyOf(all, all.length + (int) n);
                MemorySegment.copy(buffer, JAVA_BYTE, 0, all, all.length - (int) n, (int) n);
            }
        }
    }

    /** {@return the words of a file} */
    public static List<String> words(Path file) throws LinuxException {
        String text = read(file);
        return text.isEmpty() ? List.of() : List.of(text.split("\\s+"));
    }

    /**
     * Waits until a file that tells its readers of changes, such as cgroup.events, has a line.
     *
     * @return whether it has; false after the time is over
     */
    public static boolean await(Path file, String line, Duration atMost) throws LinuxException {
        long end = System.nanoTime() + atMost.toNanos();
        try (var arena = Arena.ofConfined();
                var fd = open(file, OpenFlags.O_RDONLY)) {
            var poll = new Poll(arena);
            while (true) {
                if (read(fd).lines().anyMatch(line::equals)) {
                    return true;
                }
                long left = end - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                var _ = poll.await(fd, Epoll.PRI, left);
            }
        }
    }

    /** Makes a cgroup. */
    public static void makeDirectory(Path directory) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            long result = Native.call(
                    Syscall.MKDIRAT,
                    AtFlags.AT_FDCWD,
                    At.cString(arena, HostPath.of(directory)).address(),
                    DIRECTORY_MODE);
            if (Native.failed(result)) {
                throw new LinuxException(Native.errno(result), "mkdir(" + Arg.quote(HostPath.of(directory)) + ")");
            }
        }
    }

    /** Removes a cgroup without processes and children. */
    public static void removeDirectory(Path directory) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            long result = Native.call(
                    Syscall.UNLINKAT,
                    AtFlags.AT_FDCWD,
                    At.cString(arena, HostPath.of(directory)).address(),
                    AT_REMOVEDIR);
            if (Native.failed(result)) {
                throw new LinuxException(Native.errno(result), "rmdir(" + Arg.quote(HostPath.of(directory)) + ")");
            }
        }
    }
}
