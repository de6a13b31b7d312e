// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static dev.caisson.linux.flag.MapFlags.PROT_NONE;

import dev.caisson.linux.Arch;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.flag.MapFlags;
import dev.caisson.linux.sys.Native;
import java.lang.foreign.MemorySegment;

/**
 * Memory for one launch at a time: the table below, the child's stack above, an unmapped page between them and whatever
 * lies before. Mapped apart from the JVM's heaps, so that a fault of the child can never be next to them.
 */
final class LaunchMemory {
    /** The largest the architecture has: a guard must cover a whole page of whatever size. */
    private static final long PAGE = Arch.host() == Arch.AARCH64 ? 65_536 : 4096;

    private static final long STACK = 2 * PAGE;
    private static final int PROT_READ_WRITE = MapFlags.PROT_READ | MapFlags.PROT_WRITE;
    private static final int MAP_PRIVATE_ANONYMOUS = MapFlags.MAP_PRIVATE | MapFlags.MAP_ANONYMOUS;

    private final long address;
    private final long length;
    private final MemorySegment table;

    private LaunchMemory(long address, long length) {
        this.address = address;
        this.length = length;
        this.table = MemorySegment.ofAddress(address).reinterpret(length - STACK - PAGE);
    }

    /** Maps memory for a table of at least {@code size} bytes. */
    static LaunchMemory map(int size) throws LinuxException {
        long forTable = (size + PAGE - 1) & -PAGE;
        long length = forTable + PAGE + STACK;
        long address = Native.call(Syscall.MMAP, 0, length, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
        if (Native.failed(address)) {
            throw new LinuxException(Native.errno(address), "mmap(NULL, " + length + ")");
        }
        var _ = Native.call(Syscall.MPROTECT, address + forTable, PAGE, PROT_NONE);
        return new LaunchMemory(address, length);
    }

    MemorySegment table() {
        return table;
    }

    long stack() {
        return address + length - STACK;
    }

    long stackSize() {
        return STACK;
    }

    boolean fits(int size) {
        return size <= table.byteSize();
    }

    void unmap() {
        var _ = Native.call(Syscall.MUNMAP, address, length, 0);
    }
}
