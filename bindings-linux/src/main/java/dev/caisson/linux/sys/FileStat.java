// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.flag.AtFlags;
import dev.caisson.linux.flag.FileTypes;
import dev.caisson.linux.flag.StatxMask;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * What statx(2) tells of a file.
 *
 * @param mode type and permissions
 * @param device of the file system it lies on, major number in the upper 32 bits
 * @param special the device that a device file stands for, likewise
 * @param blocks of 512 bytes
 */
public record FileStat(
        int mode,
        long links,
        long uid,
        long gid,
        long inode,
        long device,
        long special,
        long size,
        long blocks,
        long modifiedSeconds,
        int modifiedNanos,
        long changedSeconds,
        int changedNanos) {
    /** The bytes of {@code struct statx}. */
    static final int SIZE = 256;

    private static final int BASIC_STATS = StatxMask.STATX_BASIC_STATS;

    static FileStat read(MemorySegment statx) {
        return new FileStat(
                statx.get(JAVA_SHORT, 28) & 0xffff,
                Integer.toUnsignedLong(statx.get(JAVA_INT, 16)),
                Integer.toUnsignedLong(statx.get(JAVA_INT, 20)),
                Integer.toUnsignedLong(statx.get(JAVA_INT, 24)),
                statx.get(JAVA_LONG, 32),
                device(statx, 136),
                device(statx, 128),
                statx.get(JAVA_LONG, 40),
                statx.get(JAVA_LONG, 48),
                statx.get(JAVA_LONG, 112),
                statx.get(JAVA_INT, 120),
                statx.get(JAVA_LONG, 96),
                statx.get(JAVA_INT, 104));
    }

    /** {@return what a path of the host leads to, links followed; empty if to nothing that this process may see} */
    public static Optional<FileStat> of(String path) {
        try (var arena = Arena.ofConfined()) {
            var statx = arena.allocate(SIZE, Long.BYTES);
            var text = At.cString(arena, path);
            long result =
                    Native.call(Syscall.STATX, AtFlags.AT_FDCWD, text.address(), 0, BASIC_STATS, statx.address(), 0);
            return Native.failed(result) ? Optional.empty() : Optional.of(read(statx));
        }
    }

    private static long device(MemorySegment statx, long offset) {
        return Integer.toUnsignedLong(statx.get(JAVA_INT, offset)) << 32
                | Integer.toUnsignedLong(statx.get(JAVA_INT, offset + 4));
    }

    /** {@return the bits of {@link #mode} that say what kind of file it is} */
    public int type() {
        return mode & FileTypes.S_IFMT;
    }

    /** {@return the bits of {@link #mode} that chmod(2) sets} */
    public int permissions() {
        return mode & 07777;
    }

    public boolean isDirectory() {
        return type() == FileTypes.S_IFDIR;
    }

    public boolean isRegular() {
        return type() == FileTypes.S_IFREG;
    }

    public boolean isSymbolicLink() {
        return type() == FileTypes.S_IFLNK;
    }

    public boolean isCharacterDevice() {
        return type() == FileTypes.S_IFCHR;
    }
}
