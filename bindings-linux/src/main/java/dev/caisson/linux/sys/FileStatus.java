// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static dev.caisson.linux.flag.AtFlags.AT_EMPTY_PATH;
import static dev.caisson.linux.flag.AtFlags.AT_SYMLINK_NOFOLLOW;
import static dev.caisson.linux.flag.StatxMask.STATX_BTIME;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.flag.AtFlags;
import dev.caisson.linux.flag.FileTypes;
import dev.caisson.linux.flag.StatxMask;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Instant;
import java.util.Optional;

/**
 * What statx(2) says of a file.
 *
 * @param mode type and permissions
 * @param links how many names it has
 * @param blocks of 512 bytes that it takes
 * @param device the number of its file system, as {@code st_dev} has it
 * @param rdev the number of the device that a device file is
 * @param mountId of the mount it was reached through (Linux 5.8), else 0
 * @param born empty if the file system does not keep it
 */
public record FileStatus(
        int mode,
        long links,
        long uid,
        long gid,
        long inode,
        long size,
        long blocks,
        long device,
        long rdev,
        long mountId,
        Time accessed,
        Time modified,
        Time changed,
        Optional<Time> born) {
    private static final int STATX_BASIC_STATS_BTIME_MNT_ID =
            StatxMask.STATX_BASIC_STATS | StatxMask.STATX_BTIME | StatxMask.STATX_MNT_ID;

    /** A moment since 1970, negative before it, with 0 to 999,999,999 nanoseconds added. */
    public record Time(long seconds, int nanos) implements Comparable<Time> {
        /** {@return the same moment} */
        public static Time of(Instant moment) {
            return new Time(moment.getEpochSecond(), moment.getNano());
        }

        @Override
        public int compareTo(Time other) {
            int bySeconds = Long.compare(seconds, other.seconds);
            return bySeconds != 0 ? bySeconds : Integer.compare(nanos, other.nanos);
        }

        /** {@return whether this is later} */
        public boolean isAfter(Time other) {
            return compareTo(other) > 0;
        }
    }

    /** What a file is. */
    public enum Type {
        DIRECTORY(FileTypes.S_IFDIR),
        FILE(FileTypes.S_IFREG),
        SYMBOLIC_LINK(FileTypes.S_IFLNK),
        CHARACTER_DEVICE(FileTypes.S_IFCHR),
        BLOCK_DEVICE(FileTypes.S_IFBLK),
        PIPE(FileTypes.S_IFIFO),
        SOCKET(FileTypes.S_IFSOCK),
        UNKNOWN(0);

        private final int bits;

        Type(int bits) {
            this.bits = bits;
        }

        /** {@return the S_IF* bits of a mode} */
        public int bits() {
            return bits;
        }

        /** {@return what a file of this mode is} */
        public static Type of(int mode) {
            return switch (mode & FileTypes.S_IFMT) {
                case FileTypes.S_IFDIR -> DIRECTORY;
                case FileTypes.S_IFREG -> FILE;
                case FileTypes.S_IFLNK -> SYMBOLIC_LINK;
                case FileTypes.S_IFCHR -> CHARACTER_DEVICE;
                case FileTypes.S_IFBLK -> BLOCK_DEVICE;
                case FileTypes.S_IFIFO -> PIPE;
                case FileTypes.S_IFSOCK -> SOCKET;
                default -> UNKNOWN;
            };
        }
    }

    /** {@return what a path of the host leads to, links followed; empty if to nothing that this process may see} */
    public static Optional<FileStatus> of(String path) {
        try (var arena = Arena.ofConfined()) {
            var result = Statx.allocate(arena);
            long failed = Native.call(
                    Native.errnoMemory(arena),
                    Syscall.STATX,
                    AtFlags.AT_FDCWD,
                    At.cString(arena, path).address(),
                    0,
                    STATX_BASIC_STATS_BTIME_MNT_ID,
                    result.address(),
                    0);
            return Native.failed(failed) ? Optional.empty() : Optional.of(read(result));
        }
    }

    /** {@return the status of what a descriptor is open on, an O_PATH one too} */
    public static FileStatus of(Fd file) throws LinuxException {
        return of(file, new byte[0], AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
    }

    /** {@return the status of a name in a directory; of the link itself if it is one} */
    public static FileStatus of(Fd directory, byte[] name) throws LinuxException {
        return of(directory, name, AT_SYMLINK_NOFOLLOW);
    }

    private static FileStatus of(Fd directory, byte[] name, int flags) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var result = Statx.allocate(arena);
            long failed = Native.call(
                    Native.errnoMemory(arena),
                    Syscall.STATX,
                    directory.number(),
                    At.cString(arena, name).address(),
                    flags,
                    STATX_BASIC_STATS_BTIME_MNT_ID,
                    result.address(),
                    0);
            if (Native.failed(failed)) {
                throw new LinuxException(
                        Native.errno(failed), "statx(" + directory + ", " + Arg.quote(name) + ", " + flags + ")");
            }
            return read(result);
        }
    }

    /** {@return what a {@code struct statx} says} */
    static FileStatus read(MemorySegment s) {
        return new FileStatus(
                Short.toUnsignedInt(s.get(JAVA_SHORT, Statx.MODE)),
                unsigned(s, Statx.NLINK),
                unsigned(s, Statx.UID),
                unsigned(s, Statx.GID),
                s.get(JAVA_LONG, Statx.INO),
                s.get(JAVA_LONG, Statx.SIZE),
                s.get(JAVA_LONG, Statx.BLOCKS),
                device(s.get(JAVA_INT, Statx.DEV_MAJOR), s.get(JAVA_INT, Statx.DEV_MINOR)),
                device(s.get(JAVA_INT, Statx.RDEV_MAJOR), s.get(JAVA_INT, Statx.RDEV_MINOR)),
                s.get(JAVA_LONG, Statx.MNT_ID),
                time(s, Statx.ATIME),
                time(s, Statx.MTIME),
                time(s, Statx.CTIME),
                (s.get(JAVA_INT, Statx.MASK) & STATX_BTIME) == 0
                        ? Optional.empty()
                        : Optional.of(time(s, Statx.BTIME)));
    }

    private static long unsigned(MemorySegment s, int offset) {
        return Integer.toUnsignedLong(s.get(JAVA_INT, offset));
    }

    private static Time time(MemorySegment s, int offset) {
        return new Time(s.get(JAVA_LONG, offset), s.get(JAVA_INT, offset + Statx.TV_NSEC));
    }

    /** The kernel's 32-bit encoding (new_encode_dev), which mknod(2) takes. */
    private static long device(int major, int minor) {
        return (minor & 0xffL) | ((major & 0xfffL) << 8) | ((minor & 0xfff00L) << 12);
    }

    public Type type() {
        return Type.of(mode);
    }

    /** {@return the lower twelve bits of the mode} */
    public int permissions() {
        return mode & 07777;
    }

    public boolean isDirectory() {
        return type() == Type.DIRECTORY;
    }

    public boolean isFile() {
        return type() == Type.FILE;
    }

    public boolean isSymbolicLink() {
        return type() == Type.SYMBOLIC_LINK;
    }

    public boolean isCharacterDevice() {
        return type() == Type.CHARACTER_DEVICE;
    }

    /** {@return whether two names lead to one file} */
    public boolean isSameFile(FileStatus other) {
        return inode == other.inode && device == other.device;
    }
}
