// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static dev.caisson.linux.flag.AtFlags.AT_FDCWD;
import static dev.caisson.linux.flag.AtFlags.AT_SYMLINK_NOFOLLOW;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.flag.StatxMask;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Set;

/**
 * What tells whether files are as they were, many at once and at little cost: one statx(2) each, whose answers are compared
 * as they came. Immutable and thread-safe.
 */
public final class FileStamps {
    /** What is kept of an answer: group and mode, owner, inode number, and when it changed if that counts. */
    private static final int KEPT = 5;

    /** Before multigrain timestamps (Linux 6.13) two changes within a tick of the clock have the same time. */
    private static final long UNSETTLED_SECONDS = 2;

    private static final int WORDS = Statx.SIZE_OF_STRUCT / Long.BYTES;
    private static final int OWNER = Statx.UID / Long.BYTES;
    private static final int MODE = Statx.MODE / Long.BYTES;
    private static final int INODE = Statx.INO / Long.BYTES;
    private static final int CHANGED = Statx.CTIME / Long.BYTES;

    private final byte[] names;
    private final int[] places;
    private final int whole;

    /**
     * Names files, whose links at the end are not followed.
     *
     * @param whole paths of which every change counts; of a directory, also that a name comes or goes
     * @param attributes paths of which only owner, group, mode, and which file it is count
     */
    public FileStamps(Set<String> whole, Set<String> attributes) {
        var paths = new ArrayList<byte[]>();
        whole.forEach(path -> paths.add(FileNames.encode(path)));
        attributes.forEach(path -> paths.add(FileNames.encode(path)));
        this.whole = whole.size();
        this.places = new int[paths.size()];
        int length = 0;
        for (int i = 0; i < places.length; i++) {
            places[i] = length;
            length += paths.get(i).length + 1;
        }
        this.names = new byte[length];
        for (int i = 0; i < places.length; i++) {
            System.arraycopy(paths.get(i), 0, names, places[i], paths.get(i).length);
        }
    }

    /** {@return how they are now} If it is equal to what was settled before, nothing that counts has changed. */
    public long[] now() {
        long[] kept = new long[places.length * KEPT];
        try (var arena = Arena.ofConfined()) {
            var errno = Native.errnoMemory(arena);
            var paths = arena.allocate(names.length);
            MemorySegment.copy(names, 0, paths, JAVA_BYTE, 0, names.length);
            var answers = arena.allocate(JAVA_LONG, (long) places.length * WORDS);
            long[] results = new long[places.length];
            for (int i = 0; i < places.length; i++) {
                results[i] = Native.call(
                        errno,
                        Syscall.STATX,
                        AT_FDCWD,
                        paths.address() + places[i],
                        AT_SYMLINK_NOFOLLOW,
                        StatxMask.STATX_BASIC_STATS,
                        answers.address() + (long) i * Statx.SIZE_OF_STRUCT,
                        0);
            }
            long[] words = answers.toArray(JAVA_LONG);
            for (int i = 0; i < places.length; i++) {
                keep(words, i * WORDS, results[i], kept, i);
            }
        }
        return kept;
    }

    private void keep(long[] words, int at, long result, long[] kept, int file) {
        int to = file * KEPT;
        if (Native.failed(result)) {
            kept[to] = result;
            return;
        }
        kept[to] = words[at + MODE];
        kept[to + 1] = words[at + OWNER] >>> Integer.SIZE;
        kept[to + 2] = words[at + INODE];
        if (file < whole) {
            kept[to + 3] = words[at + CHANGED];
            kept[to + 4] = words[at + CHANGED + 1];
        }
    }

    /**
     * {@return whether those of which every change counts have been as they are for so long that one more change would show}
     *
     * @param stamps from {@link #now}, before they were looked at
     * @param now seconds since 1970
     */
    public boolean areSettled(long[] stamps, long now) {
        for (int i = 0; i < whole; i++) {
            if (stamps[i * KEPT + 3] + UNSETTLED_SECONDS > now) {
                return false;
            }
        }
        return true;
    }
}
