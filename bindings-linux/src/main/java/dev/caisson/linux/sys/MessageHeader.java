// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A {@code struct msghdr} with one {@code struct iovec}; offsets are numbers for the reason that {@link Statx} gives. */
final class MessageHeader {
    static final int IOV = 16;
    static final int IOVLEN = 24;
    static final int CONTROL = 32;
    static final int CONTROLLEN = 40;
    static final int FLAGS = 48;
    static final int SIZE_OF_STRUCT = 56;

    private final MemorySegment header;

    /** For a message whose bytes are at one place, and whose control data at another. */
    MessageHeader(Arena arena, MemorySegment bytes, MemorySegment control) {
        var vector = arena.allocate(2 * Long.BYTES, Long.BYTES);
        vector.set(JAVA_LONG, 0, bytes.address());
        vector.set(JAVA_LONG, Long.BYTES, bytes.byteSize());
        header = arena.allocate(SIZE_OF_STRUCT, Long.BYTES);
        header.set(JAVA_LONG, IOV, vector.address());
        header.set(JAVA_LONG, IOVLEN, 1);
        header.set(JAVA_LONG, CONTROL, control.address());
        controlLength(control.byteSize());
    }

    long address() {
        return header.address();
    }

    /** {@return how many bytes of control data came} */
    long controlLength() {
        return header.get(JAVA_LONG, CONTROLLEN);
    }

    void controlLength(long bytes) {
        header.set(JAVA_LONG, CONTROLLEN, bytes);
    }

    int flags() {
        return header.get(JAVA_INT, FLAGS);
    }
}
