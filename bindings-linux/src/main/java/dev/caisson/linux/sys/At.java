// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static dev.caisson.linux.flag.AtFlags.AT_EACCESS;
import static dev.caisson.linux.flag.AtFlags.AT_EMPTY_PATH;
import static dev.caisson.linux.flag.AtFlags.AT_FDCWD;
import static dev.caisson.linux.flag.AtFlags.AT_REMOVEDIR;
import static dev.caisson.linux.flag.AtFlags.AT_SYMLINK_FOLLOW;
import static dev.caisson.linux.flag.AtFlags.AT_SYMLINK_NOFOLLOW;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.flag.OpenFlags;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Calls on names relative to a directory's descriptor. Names are bytes, as the kernel has them: any but NUL and, in a single
 * name, the slash.
 */
public final class At {

    private static final int PATH_MAX = 4096;
    private static final byte[] SELF = {};

    /** The kernel gives up on ".." while anything is renamed or mounted anywhere; a hostile process can keep it doing so. */
    private static final int PATIENCE = 1000;

    private At() {}

    static MemorySegment cString(Arena arena, byte[] path) {
        var segment = arena.allocate(path.length + 1L);
        MemorySegment.copy(path, 0, segment, JAVA_BYTE, 0, path.length);
        return segment;
    }

    /** {@return a NUL-terminated copy of a name or path} */
    public static MemorySegment cString(Arena arena, String path) {
        return cString(arena, FileNames.encode(path));
    }

    private static void check(long result, String call) throws LinuxException {
        if (Native.failed(result)) {
            throw new LinuxException(Native.errno(result), call);
        }
    }

    /**
     * Opens a path with the RESOLVE_* restrictions of openat2(2), Linux 5.6.
     *
     * @param mode permissions of a file that O_CREAT makes, else 0
     * @throws LinuxException EAGAIN if somebody renames without end and the path holds ".."
     */
    public static Fd open(Fd directory, byte[] path, long flags, int mode, long resolve) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var how = arena.allocate(JAVA_LONG, 3);
            how.setAtIndex(JAVA_LONG, 0, flags | OpenFlags.O_CLOEXEC);
            how.setAtIndex(JAVA_LONG, 1, mode);
            how.setAtIndex(JAVA_LONG, 2, resolve);
            long name =
                    cString(arena, path.length == 0 ? new byte[] {'.'} : path).address();
            long result;
            int tries = 0;
            do {
                result = Native.call(Syscall.OPENAT2, directory.number(), name, how.address(), how.byteSize(), 0, 0);
            } while ((result == -Errno.EAGAIN.code() || result == -Errno.EINTR.code()) && ++tries < PATIENCE);
            return Files.opened(
                    result,
                    "openat2(" + directory + ", " + Arg.quote(path) + ", {flags=0x" + Long.toHexString(flags)
                            + ", resolve=0x" + Long.toHexString(resolve) + "})");
        }
    }

    public static void makeDirectory(Fd directory, byte[] name, int mode) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            check(
                    Native.call(
                            Syscall.MKDIRAT,
                            directory.number(),
                            cString(arena, name).address(),
                            mode),
                    "mkdirat(" + directory + ", " + Arg.quote(name) + ", 0" + Integer.toOctalString(mode) + ")");
        }
    }

    /**
     * Makes a file, pipe, socket or device.
     *
     * @param mode type and permissions
     * @param device as {@link FileStatus#rdev}
     */
    public static void makeNode(Fd directory, byte[] name, int mode, long device) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            check(
                    Native.call(
                            Syscall.MKNODAT,
                            directory.number(),
                            cString(arena, name).address(),
                            mode,
                            device,
                            0,
                            0),
                    "mknodat(" + directory + ", " + Arg.quote(name) + ", 0" + Integer.toOctalString(mode) + ", 0x"
                            + Long.toHexString(device) + ")");
        }
    }

    public static void makeSymbolicLink(byte[] target, Fd directory, byte[] name) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            check(
                    Native.call(
                            Syscall.SYMLINKAT,
                            cString(arena, target).address(),
                            directory.number(),
                            cString(arena, name).address()),
                    "symlinkat(" + Arg.quote(target) + ", " + directory + ", " + Arg.quote(name) + ")");
        }
    }

    /** {@return where the symbolic link behind an O_PATH|O_NOFOLLOW descriptor leads} */
    public static byte[] readLink(Fd link) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(PATH_MAX);
            long n = Native.call(
                    Syscall.READLINKAT,
                    link.number(),
                    cString(arena, SELF).address(),
                    buffer.address(),
                    PATH_MAX,
                    0,
                    0);
            check(n, "readlinkat(" + link + ", \"\")");
            return buffer.asSlice(0, n).toArray(JAVA_BYTE);
        }
    }

    /** Makes another name for the file behind a descriptor, which may be an O_PATH one. */
    public static void link(Fd file, Fd directory, byte[] name) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            // AT_EMPTY_PATH would take CAP_DAC_READ_SEARCH.
            check(
                    Native.call(
                            Syscall.LINKAT,
                            AT_FDCWD,
                            arena.allocateFrom(self(file)).address(),
                            directory.number(),
                            cString(arena, name).address(),
                            AT_SYMLINK_FOLLOW,
                            0),
                    "linkat(AT_FDCWD, \"" + self(file) + "\", " + directory + ", " + Arg.quote(name)
                            + ", AT_SYMLINK_FOLLOW)");
        }
    }

    public static void unlink(Fd directory, byte[] name) throws LinuxException {
        unlink(directory, name, 0);
    }

    public static void removeDirectory(Fd directory, byte[] name) throws LinuxException {
        unlink(directory, name, AT_REMOVEDIR);
    }

    private static void unlink(Fd directory, byte[] name, int flags) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            check(
                    Native.call(
                            Syscall.UNLINKAT,
                            directory.number(),
                            cString(arena, name).address(),
                            flags),
                    "unlinkat(" + directory + ", " + Arg.quote(name) + ", " + (flags == 0 ? "0" : "AT_REMOVEDIR")
                            + ")");
        }
    }

    /** Renames; {@code flags} are RENAME_* ones. */
    public static void rename(Fd from, byte[] name, Fd to, byte[] newName, int flags) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            check(
                    Native.call(
                            Syscall.RENAMEAT2,
                            from.number(),
                            cString(arena, name).address(),
                            to.number(),
                            cString(arena, newName).address(),
                            flags,
                            0),
                    "renameat2(" + from + ", " + Arg.quote(name) + ", " + to + ", " + Arg.quote(newName) + ", " + flags
                            + ")");
        }
    }

    /** Sets the permissions of the file behind a descriptor, which may be an O_PATH one, but not of a symbolic link. */
    public static void changeMode(Fd file, int mode) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            // fchmod(2) refuses O_PATH descriptors, fchmodat2(2) is of Linux 6.6.
            check(
                    Native.call(
                            Syscall.FCHMODAT,
                            AT_FDCWD,
                            arena.allocateFrom(self(file)).address(),
                            mode),
                    "fchmodat(AT_FDCWD, \"" + self(file) + "\", 0" + Integer.toOctalString(mode) + ")");
        }
    }

    /** Sets owner and group of the file behind a descriptor; -1 leaves one as it is. */
    public static void changeOwner(Fd file, long uid, long gid) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            check(
                    Native.call(
                            Syscall.FCHOWNAT,
                            file.number(),
                            cString(arena, SELF).address(),
                            uid,
                            gid,
                            AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW,
                            0),
                    "fchownat(" + file + ", \"\", " + uid + ", " + gid + ", AT_EMPTY_PATH)");
        }
    }

    /** Sets the times of the file behind a descriptor; null leaves one as it is (Linux 5.8 for O_PATH descriptors). */
    public static void changeTimes(Fd file, FileStatus.@Nullable Time accessed, FileStatus.@Nullable Time modified)
            throws LinuxException {
        long omit = (1L << 30) - 2;
        try (var arena = Arena.ofConfined()) {
            var times = arena.allocate(JAVA_LONG, 4);
            times.setAtIndex(JAVA_LONG, 0, accessed == null ? 0 : accessed.seconds());
            times.setAtIndex(JAVA_LONG, 1, accessed == null ? omit : accessed.nanos());
            times.setAtIndex(JAVA_LONG, 2, modified == null ? 0 : modified.seconds());
            times.setAtIndex(JAVA_LONG, 3, modified == null ? omit : modified.nanos());
            check(
                    Native.call(
                            Syscall.UTIMENSAT,
                            file.number(),
                            cString(arena, SELF).address(),
                            times.address(),
                            AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW,
                            0,
                            0),
                    "utimensat(" + file + ", \"\", AT_EMPTY_PATH)");
        }
    }

    /**
     * Asks whether this process may read (4), write (2) or execute (1) the file behind a descriptor (faccessat2(2), Linux
     * 5.8).
     */
    public static void checkAccess(Fd file, int mode) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            check(
                    Native.call(
                            Syscall.FACCESSAT2,
                            file.number(),
                            cString(arena, SELF).address(),
                            mode,
                            AT_EMPTY_PATH | AT_EACCESS,
                            0,
                            0),
                    "faccessat2(" + file + ", \"\", " + mode + ", AT_EMPTY_PATH|AT_EACCESS)");
        }
    }

    /** {@return a path of this process that leads to what a descriptor is open on, whatever has its name by now} */
    public static String self(Fd file) {
        return "/proc/self/fd/" + file.number();
    }
}
