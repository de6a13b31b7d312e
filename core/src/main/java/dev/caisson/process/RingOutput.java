// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** The last bytes of what a command writes, in memory that grows up to a bound. Thread-safe. */
final class RingOutput implements Sink {
    private static final int FIRST = 4096;

    private final int most;
    private byte[] bytes = {};
    /** Where the next byte goes. */
    private int at;

    private int size;
    private long total;

    RingOutput(int most) {
        this.most = most;
    }

    /** What is kept, and how much came before it and is not. */
    record Content(byte[] bytes, long dropped) {}

    @Override
    public synchronized void take(MemorySegment more) {
        total += more.byteSize();
        int room = grow((int) Math.min(most, size + more.byteSize()));
        int count = (int) Math.min(more.byteSize(), room);
        long from = more.byteSize() - count;
        int first = Math.min(count, room - at);
        copy(more, from, first);
        copy(more, from + first, count - first);
        size = Math.min(room, size + count);
    }

    private void copy(MemorySegment more, long from, int count) {
        if (count > 0) {
            MemorySegment.copy(more, ValueLayout.JAVA_BYTE, from, bytes, at, count);
            at = at + count == bytes.length ? 0 : at + count;
        }
    }

    /** {@return how much there is room for} Where the JVM has no memory, the ring stays as it is: no service dies of its log. */
    private int grow(int wanted) {
        if (wanted > bytes.length) {
            long doubled = Math.max(FIRST, 2L * bytes.length);
            try {
                byte[] larger = new byte[(int) Math.min(most, Math.max(wanted, doubled))];
                byte[] kept = kept();
                System.arraycopy(kept, 0, larger, 0, kept.length);
                bytes = larger;
                at = size;
            } catch (OutOfMemoryError keepLess) {
                return bytes.length;
            }
        }
        return bytes.length;
    }

    private byte[] kept() {
        if (size < bytes.length || at == 0) {
            return Arrays.copyOf(bytes, size);
        }
        byte[] all = new byte[size];
        System.arraycopy(bytes, at, all, 0, size - at);
        System.arraycopy(bytes, 0, all, size - at, at);
        return all;
    }

    synchronized Content content() {
        return new Content(kept(), total - size);
    }
}
