// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Where the fields of a {@code struct statx} lie, on every architecture: numbers, since making a layout and its handles costs the
 * first launch of a JVM more than the launch itself. StructOffsetsTest compares them with the layout.
 */
final class Statx {
    static final int MASK = 0;
    static final int NLINK = 16;
    static final int UID = 20;
    static final int GID = 24;
    static final int MODE = 28;
    static final int INO = 32;
    static final int SIZE = 40;
    static final int BLOCKS = 48;
    static final int ATIME = 64;
    static final int BTIME = 80;
    static final int CTIME = 96;
    static final int MTIME = 112;
    static final int RDEV_MAJOR = 128;
    static final int RDEV_MINOR = 132;
    static final int DEV_MAJOR = 136;
    static final int DEV_MINOR = 140;
    static final int MNT_ID = 144;

    /** In a {@code struct statx_timestamp}, after the seconds. */
    static final int TV_NSEC = 8;

    static final int SIZE_OF_STRUCT = 256;

    private Statx() {}

    static MemorySegment allocate(Arena arena) {
        return arena.allocate(SIZE_OF_STRUCT, Long.BYTES);
    }
}
