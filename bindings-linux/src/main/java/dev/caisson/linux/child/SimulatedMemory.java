// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** The memory of a simulated child: its table, at an address that has nothing to do with this process's memory. */
public final class SimulatedMemory {
    private final MemorySegment bytes;
    private final long base;

    SimulatedMemory(MemorySegment bytes, long base) {
        this.bytes = bytes;
        this.base = base;
    }

    /**
     * {@return memory as a system call gets to see it}
     *
     * @throws IndexOutOfBoundsException where the child would get EFAULT, or SIGSEGV
     */
    public MemorySegment at(long address, long size) {
        return bytes.asSlice(address - base, size);
    }

    /** {@return the NUL-terminated string at an address} */
    public String string(long address) {
        return bytes.getString(address - base);
    }

    int getInt(long address) {
        return bytes.get(JAVA_INT_UNALIGNED, address - base);
    }

    long getLong(long address) {
        return bytes.get(JAVA_LONG_UNALIGNED, address - base);
    }

    void putInt(long address, int value) {
        bytes.set(JAVA_INT_UNALIGNED, address - base, value);
    }

    void putLong(long address, long value) {
        bytes.set(JAVA_LONG_UNALIGNED, address - base, value);
    }
}
