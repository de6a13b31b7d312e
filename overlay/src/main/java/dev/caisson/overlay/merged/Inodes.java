// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.merged;

/** Numbers of files: a set of sixteen bytes an entry, as there may be very many. */
final class Inodes {
    /** Spreads numbers that follow one another (Fibonacci hashing). */
    private static final long SPREAD = 0x9e37_79b9_7f4a_7c15L;

    private static final long NOTHING = 0;

    /** A power of two, at most half full. */
    private long[] table = new long[1 << 8];

    private int size;

    /** {@return whether a number was not there yet} */
    boolean add(long inode) {
        if (2 * (size + 1) > table.length) {
            grow();
        }
        if (!put(table, inode)) {
            return false;
        }
        size++;
        return true;
    }

    int size() {
        return size;
    }

    boolean has(long inode) {
        int at = place(table, inode);
        return table[at] == stored(inode);
    }

    private void grow() {
        var larger = new long[table.length * 2];
        for (long inode : table) {
            if (inode != NOTHING) {
                put(larger, inode);
            }
        }
        table = larger;
    }

    private static boolean put(long[] table, long inode) {
        int at = place(table, inode);
        if (table[at] == stored(inode)) {
            return false;
        }
        table[at] = stored(inode);
        return true;
    }

    /** {@return where a number is, or would be} */
    private static int place(long[] table, long inode) {
        int at = (int) (stored(inode) * SPREAD >>> 64 - Integer.numberOfTrailingZeros(table.length));
        while (table[at] != NOTHING && table[at] != stored(inode)) {
            at = at + 1 & table.length - 1;
        }
        return at;
    }

    /** No file has number 0, which stands for nothing here; should one have it, it is this. */
    private static long stored(long inode) {
        return inode == NOTHING ? -1 : inode;
    }
}
