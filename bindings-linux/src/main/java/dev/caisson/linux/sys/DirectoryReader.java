// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** The names in a directory, a block at a time (getdents64(2)). "." and ".." are left out. */
public final class DirectoryReader {
    private static final int BLOCK = 32 << 10;
    private static final int RECLEN = 16;
    private static final int TYPE = 18;
    private static final int NAME = 19;

    private DirectoryReader() {}

    /**
     * A name.
     *
     * @param type as far as the file system says it without a look at the file, else UNKNOWN
     */
    public record Entry(byte[] name, long inode, FileStatus.Type type) {}

    /**
     * {@return the next names, none at the end} Where it stands is kept in the descriptor.
     *
     * @param directory open for reading, not O_PATH
     */
    public static List<Entry> next(Fd directory) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var block = arena.allocate(BLOCK, Long.BYTES);
            while (true) {
                long n = Native.call(Syscall.GETDENTS64, directory.number(), block.address(), BLOCK);
                if (Native.failed(n)) {
                    throw new LinuxException(Native.errno(n), "getdents64(" + directory + ", " + BLOCK + ")");
                }
                var entries = entries(block.asSlice(0, n));
                if (n == 0 || !entries.isEmpty()) {
                    return entries;
                }
            }
        }
    }

    /** {@return all names} */
    public static List<Entry> all(Fd directory) throws LinuxException {
        var all = new ArrayList<Entry>();
        for (var some = next(directory); !some.isEmpty(); some = next(directory)) {
            all.addAll(some);
        }
        return all;
    }

    /** {@return the entries in what getdents64(2) wrote} */
    static List<Entry> entries(MemorySegment block) {
        var entries = new ArrayList<Entry>();
        int length;
        for (long at = 0; at < block.byteSize(); at += length) {
            length = Short.toUnsignedInt(block.get(JAVA_SHORT_UNALIGNED, at + RECLEN));
            long end = at + NAME;
            while (block.get(JAVA_BYTE, end) != 0) {
                end++;
            }
            byte[] name = new byte[(int) (end - at - NAME)];
            MemorySegment.copy(block, JAVA_BYTE, at + NAME, name, 0, name.length);
            boolean self = name[0] == '.' && (name.length == 1 || name.length == 2 && name[1] == '.');
            if (!self) {
                // DT_* are the S_IF* bits shifted.
                int type = Byte.toUnsignedInt(block.get(JAVA_BYTE, at + TYPE)) << 12;
                entries.add(new Entry(name, block.get(JAVA_LONG_UNALIGNED, at), FileStatus.Type.of(type)));
            }
        }
        return entries;
    }
}
