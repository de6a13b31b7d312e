// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import java.lang.foreign.Arena;
import java.util.function.Supplier;

/** The bytes of files: shared, copied without passing through this process, made durable; and the file systems they are on. */
public final class FileData {
    private static final long FICLONE = 0x40049409L;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;
    private static final long CHUNK = 1 << 30;
    private static final long UNKNOWN_SIZE = 16 << 20;
    private static final int STATFS_SIZE = 120;

    private FileData() {}

    /**
     * Makes a file share the blocks of another until one of them is written to (ioctl_ficlone(2)): xfs with reflink, btrfs,
     * bcachefs, overlays on them.
     *
     * @return false if the file systems cannot
     */
    public static boolean share(Fd from, Fd to) throws LinuxException {
        long result = Native.call(Syscall.IOCTL, to.number(), FICLONE, from.number());
        if (result == -Errno.EOPNOTSUPP.code()
                || result == -Errno.EXDEV.code()
                || result == -Errno.EINVAL.code()
                || result == -Errno.ENOTTY.code()) {
            return false;
        }
        if (Native.failed(result)) {
            throw new LinuxException(Native.errno(result), "ioctl(" + to + ", FICLONE, " + from + ")");
        }
        return true;
    }

    /**
     * Copies a file's bytes within the kernel, holes as holes, to a new and empty file.
     *
     * @param size of the source; what is added to it meanwhile may be missing. Of files of size 0 up to 16 MB are copied,
     *     since those of /proc say so and are not empty
     */
    public static void copy(Fd from, Fd to, long size) throws LinuxException {
        long at = 0;
        if (size == 0) {
            var _ = copy(from, to, 0, UNKNOWN_SIZE);
            return;
        }
        while (at < size) {
            long data = seek(from, at, SEEK_DATA);
            if (data == -Errno.ENXIO.code()) {
                break; // Nothing but a hole up to the end.
            }
            long hole = data < 0 ? size : Math.min(size, seek(from, data, SEEK_HOLE));
            data = data < 0 ? at : data; // The file system does not know of holes.
            if (hole <= data || !copy(from, to, data, hole)) {
                return; // It became shorter meanwhile, and so is the copy.
            }
            at = hole;
        }
        check(Native.call(Syscall.FTRUNCATE, to.number(), size, 0), "ftruncate(" + to + ", " + size + ")");
    }

    private static long seek(Fd file, long offset, int whence) {
        return Native.call(Syscall.LSEEK, file.number(), offset, whence);
    }

    private static boolean copy(Fd from, Fd to, long start, long end) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var offsets = arena.allocate(JAVA_LONG, 2);
            offsets.setAtIndex(JAVA_LONG, 0, start);
            offsets.setAtIndex(JAVA_LONG, 1, start);
            boolean inKernel = true;
            while (offsets.getAtIndex(JAVA_LONG, 0) < end) {
                long left = Math.min(CHUNK, end - offsets.getAtIndex(JAVA_LONG, 0));
                long n = inKernel
                        ? Native.call(
                                Syscall.COPY_FILE_RANGE,
                                from.number(),
                                offsets.address(),
                                to.number(),
                                offsets.address() + Long.BYTES,
                                left,
                                0)
                        : throughMemory(from, to, offsets.getAtIndex(JAVA_LONG, 0), left);
                if (inKernel
                        && (n == -Errno.EXDEV.code()
                                || n == -Errno.EINVAL.code()
                                || n == -Errno.EOPNOTSUPP.code()
                                || n == -Errno.ENOSYS.code()
                                || n == 0)) {
                    // Before 5.19 not between file systems; 0 bytes come of files whose size is a lie, as in /proc.
                    inKernel = false;
                    continue;
                }
                check(n, "copy_file_range(" + from + ", " + to + ", " + left + ")");
                if (n == 0) {
                    return false;
                }
                if (!inKernel) {
                    offsets.setAtIndex(JAVA_LONG, 0, offsets.getAtIndex(JAVA_LONG, 0) + n);
                }
            }
            return true;
        }
    }

    private static long throughMemory(Fd from, Fd to, long offset, long most) {
        try (var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(Math.min(most, 1 << 18));
            long n = Native.call(Syscall.PREAD64, from.number(), buffer.address(), buffer.byteSize(), offset, 0, 0);
            for (long done = 0; done < n; ) {
                long written = Native.call(
                        Syscall.PWRITE64, to.number(), buffer.address() + done, n - done, offset + done, 0, 0);
                if (Native.failed(written)) {
                    return written;
                }
                done += written;
            }
            return n;
        }
    }

    /** Waits until a file or directory is on disk (fsync(2)). */
    public static void sync(Fd file) throws LinuxException {
        check(Native.call(Syscall.FSYNC, file.number()), "fsync(" + file + ")");
    }

    /** Waits until everything written to a file system so far is on disk (syncfs(2)). */
    public static void syncFileSystem(Fd anyFile) throws LinuxException {
        check(Native.call(Syscall.SYNCFS, anyFile.number()), "syncfs(" + anyFile + ")");
    }

    /** The state of a file system (statfs(2)). */
    public record Space(
            FileSystemType type, long blockSize, long blocks, long free, long available, boolean readOnly) {}

    /** {@return the state of the file system that a descriptor is open on, which may be an O_PATH one} */
    public static Space space(Fd file) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            return space(Syscall.FSTATFS, file.number(), () -> "fstatfs(" + file + ")", arena);
        }
    }

    /** {@return the state of the file system that holds a path} */
    public static Space space(String path) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            return space(
                    Syscall.STATFS, At.cString(arena, path).address(), () -> "statfs(" + Arg.quote(path) + ")", arena);
        }
    }

    private static Space space(Syscall syscall, long what, Supplier<String> call, Arena arena) throws LinuxException {
        // struct statfs of 64-bit Linux: type, bsize, blocks, bfree, bavail, files, ffree, fsid, namelen, frsize, flags
        var s = arena.allocate(STATFS_SIZE, Long.BYTES);
        long result = Native.call(syscall, what, s.address(), 0);
        if (Native.failed(result)) {
            throw new LinuxException(Native.errno(result), call.get());
        }
        return new Space(
                new FileSystemType(Integer.toUnsignedLong((int) s.getAtIndex(JAVA_LONG, 0))),
                s.getAtIndex(JAVA_LONG, 1),
                s.getAtIndex(JAVA_LONG, 2),
                s.getAtIndex(JAVA_LONG, 3),
                s.getAtIndex(JAVA_LONG, 4),
                (s.getAtIndex(JAVA_LONG, 10) & 1) != 0);
    }

    /** How a {@linkplain #lock lock} is held. */
    public enum Lock {
        SHARED(1),
        EXCLUSIVE(2);

        private final int operation;

        Lock(int operation) {
            this.operation = operation;
        }
    }

    /** Waits for a lock, which the descriptor holds until it is closed or its process is dead (flock(2)). */
    public static void lock(Fd file, Lock lock) throws LinuxException {
        long result;
        do {
            result = Native.call(Syscall.FLOCK, file.number(), lock.operation, 0);
        } while (result == -Errno.EINTR.code());
        check(result, "flock(" + file + ", " + lock + ")");
    }

    /** {@return whether the lock is held now; false if somebody else has it} */
    public static boolean tryLock(Fd file, Lock lock) throws LinuxException {
        long result = Native.call(Syscall.FLOCK, file.number(), lock.operation | 4, 0);
        if (result == -Errno.EAGAIN.code()) {
            return false;
        }
        check(result, "flock(" + file + ", " + lock + "|LOCK_NB)");
        return true;
    }

    private static void check(long result, String call) throws LinuxException {
        if (Native.failed(result)) {
            throw new LinuxException(Native.errno(result), call);
        }
    }
}
