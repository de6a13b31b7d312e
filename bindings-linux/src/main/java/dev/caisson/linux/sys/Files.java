// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static dev.caisson.linux.flag.AtFlags.AT_FDCWD;
import static dev.caisson.linux.flag.DescriptorCommands.F_ADD_SEALS;
import static dev.caisson.linux.flag.DescriptorCommands.F_DUPFD_CLOEXEC;
import static dev.caisson.linux.flag.DescriptorCommands.F_GETFL;
import static dev.caisson.linux.flag.DescriptorCommands.F_SETFL;
import static dev.caisson.linux.flag.DescriptorCommands.MFD_ALLOW_SEALING;
import static dev.caisson.linux.flag.DescriptorCommands.MFD_CLOEXEC;
import static dev.caisson.linux.flag.DescriptorCommands.MFD_EXEC;
import static dev.caisson.linux.flag.OpenFlags.O_CLOEXEC;
import static dev.caisson.linux.flag.OpenFlags.O_NONBLOCK;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.flag.DescriptorCommands;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Descriptors of files, pipes and anonymous memory. Every descriptor made here is close-on-exec. */
public final class Files {
    private static final int EFD_CLOEXEC_NONBLOCK = DescriptorCommands.EFD_CLOEXEC | DescriptorCommands.EFD_NONBLOCK;
    private static final int ALL_SEALS = 0xf;

    private Files() {}

    /** The two ends of a pipe. */
    public record Pipe(Fd reader, Fd writer) implements AutoCloseable {
        @Override
        public void close() {
            reader.close();
            writer.close();
        }
    }

    public static Pipe pipe() throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var fds = arena.allocate(JAVA_INT, 2);
            long result = Native.call(Syscall.PIPE2, fds.address(), O_CLOEXEC, 0);
            if (Native.failed(result)) {
                throw new LinuxException(Native.errno(result), "pipe2(O_CLOEXEC)");
            }
            return new Pipe(Fd.owning(fds.getAtIndex(JAVA_INT, 0)), Fd.owning(fds.getAtIndex(JAVA_INT, 1)));
        }
    }

    /**
     * Opens a path of the host.
     *
     * @param mode permissions of a file that O_CREAT makes
     */
    public static Fd open(String path, int flags, int mode) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            long result = Native.call(
                    Syscall.OPENAT, AT_FDCWD, At.cString(arena, path).address(), flags | O_CLOEXEC, mode, 0, 0);
            if (Native.failed(result)) {
                throw new LinuxException(
                        Native.errno(result),
                        "openat(AT_FDCWD, " + Arg.quote(path) + ", 0x" + Integer.toHexString(flags) + ")");
            }
            return Fd.owning(result);
        }
    }

    /** Opens a path relative to a directory, with the RESOLVE_* restrictions of openat2(2). */
    public static Fd openat2(Fd directory, String path, int flags, int mode, int resolve) throws LinuxException {
        return At.open(directory, FileNames.encode(path), flags, mode, resolve);
    }

    static Fd opened(long result, String call) throws LinuxException {
        if (Native.failed(result)) {
            throw new LinuxException(Native.errno(result), call);
        }
        return Fd.owning(result);
    }

    /** {@return a counter of events (eventfd(2)) that somebody else adds to; reading never blocks} */
    public static Fd eventCounter() throws LinuxException {
        return opened(Native.call(Syscall.EVENTFD2, 0, EFD_CLOEXEC_NONBLOCK, 0), "eventfd2(0)");
    }

    /**
     * A sealed file in memory: nobody can change it any more, so that it may be executed or shown to untrusted processes.
     *
     * @param executable whether execveat(2) may run it
     */
    public static Fd sealedMemory(String name, byte[] content, boolean executable) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            String call = "memfd_create(" + Arg.quote(name) + ")";
            var cName = arena.allocateFrom(name);
            int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
            long result = Native.call(Syscall.MEMFD_CREATE, cName.address(), executable ? flags | MFD_EXEC : flags, 0);
            if (result == -Errno.EINVAL.code() && executable) {
                // Before Linux 6.3 there is no MFD_EXEC, and every memfd is executable.
                result = Native.call(Syscall.MEMFD_CREATE, cName.address(), flags, 0);
            }
            var fd = opened(result, call);
            try {
                var bytes = arena.allocate(Math.max(1, content.length));
                MemorySegment.copy(content, 0, bytes, JAVA_BYTE, 0, content.length);
                writeFully(fd, bytes.asSlice(0, content.length));
                long sealed = Native.call(Syscall.FCNTL, fd.number(), F_ADD_SEALS, ALL_SEALS);
                if (Native.failed(sealed)) {
                    throw new LinuxException(Native.errno(sealed), "fcntl(" + fd + ", F_ADD_SEALS)");
                }
                return fd;
            } catch (LinuxException | RuntimeException failed) {
                fd.close();
                throw failed;
            }
        }
    }

    /** {@return a file in memory of some size, full of zeros} */
    public static Fd memory(String name, long size) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var fd = opened(
                    Native.call(Syscall.MEMFD_CREATE, arena.allocateFrom(name).address(), MFD_CLOEXEC, 0),
                    "memfd_create(" + Arg.quote(name) + ")");
            long result = Native.call(Syscall.FTRUNCATE, fd.number(), size, 0);
            if (Native.failed(result)) {
                fd.close();
                throw new LinuxException(Native.errno(result), "ftruncate(" + fd + ", " + size + ")");
            }
            return fd;
        }
    }

    /** Makes reads and writes of a descriptor return EAGAIN where they would block. */
    public static void makeNonBlocking(Fd fd) throws LinuxException {
        long flags = Native.call(Syscall.FCNTL, fd.number(), F_GETFL, 0);
        long result =
                Native.failed(flags) ? flags : Native.call(Syscall.FCNTL, fd.number(), F_SETFL, flags | O_NONBLOCK);
        if (Native.failed(result)) {
            throw new LinuxException(Native.errno(result), "fcntl(" + fd + ", F_SETFL, O_NONBLOCK)");
        }
    }

    /** {@return the status flags of an open file description (F_GETFL), which all that share it have in common} */
    public static int statusFlags(int fd) throws LinuxException {
        long flags = Native.call(Syscall.FCNTL, fd, F_GETFL, 0);
        if (Native.failed(flags)) {
            throw new LinuxException(Native.errno(flags), "fcntl(" + fd + ", F_GETFL)");
        }
        return (int) flags;
    }

    /** Sets the status flags of an open file description (F_SETFL), for all that share it. */
    public static void setStatusFlags(int fd, int flags) throws LinuxException {
        long result = Native.call(Syscall.FCNTL, fd, F_SETFL, flags);
        if (Native.failed(result)) {
            throw new LinuxException(
                    Native.errno(result), "fcntl(" + fd + ", F_SETFL, 0" + Integer.toOctalString(flags) + ")");
        }
    }

    /** {@return a copy of a descriptor that somebody else owns} */
    public static Fd duplicate(int fd) throws LinuxException {
        return opened(Native.call(Syscall.FCNTL, fd, F_DUPFD_CLOEXEC, 3), "fcntl(" + fd + ", F_DUPFD_CLOEXEC, 3)");
    }

    /** {@return the same descriptor, or a copy in its stead if its number is one of the standard streams'} */
    public static Fd beyondStandard(Fd fd) throws LinuxException {
        if (fd.number() > 2) {
            return fd;
        }
        try (fd) {
            return opened(
                    Native.call(Syscall.FCNTL, fd.number(), F_DUPFD_CLOEXEC, 3),
                    "fcntl(" + fd + ", F_DUPFD_CLOEXEC, 3)");
        }
    }

    /** Writes all of a segment; blocks where the descriptor does. */
    public static void writeFully(Fd fd, MemorySegment bytes) throws LinuxException {
        long done = 0;
        while (done < bytes.byteSize()) {
            long n = Native.call(Syscall.WRITE, fd.number(), bytes.address() + done, bytes.byteSize() - done);
            if (Native.failed(n) && n != -Errno.EINTR.code()) {
                throw new LinuxException(Native.errno(n), "write(" + fd + ", ..., " + bytes.byteSize() + ")");
            }
            done += Math.max(0, n);
        }
    }

    /**
     * Reads once; blocks where the descriptor does.
     *
     * @return the number of bytes, 0 at the end of file
     */
    public static int read(Fd fd, MemorySegment into) throws LinuxException {
        while (true) {
            long n = Native.call(Syscall.READ, fd.number(), into.address(), into.byteSize());
            if (!Native.failed(n)) {
                return (int) n;
            }
            if (n != -Errno.EINTR.code()) {
                throw new LinuxException(Native.errno(n), "read(" + fd + ", " + into.byteSize() + ")");
            }
        }
    }
}
