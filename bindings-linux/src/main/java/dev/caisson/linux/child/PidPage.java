// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.flag.MapFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Native;
import java.lang.foreign.MemorySegment;

/** A word that this JVM shares with a shim: the kernel writes the pid of a child into it before the child runs. */
final class PidPage implements AutoCloseable {
    /** Where the shim has it; PID_PAGE of shim.h. */
    static final long ADDRESS = 1L << 33;

    private static final int SIZE = 4096;

    private final Fd file;
    private final MemorySegment memory;

    private PidPage(Fd file, MemorySegment memory) {
        this.file = file;
        this.memory = memory;
    }

    static PidPage create() throws LinuxException {
        var file = Files.memory("caisson-pid", SIZE);
        long address = Native.call(
                Syscall.MMAP, 0, SIZE, MapFlags.PROT_READ | MapFlags.PROT_WRITE, MapFlags.MAP_SHARED, file.number(), 0);
        if (Native.failed(address)) {
            file.close();
            throw new LinuxException(Native.errno(address), "mmap(NULL, " + SIZE + ", MAP_SHARED)");
        }
        return new PidPage(file, MemorySegment.ofAddress(address).reinterpret(SIZE));
    }

    Fd file() {
        return file;
    }

    int pid() {
        return (int) JAVA_INT.varHandle().getVolatile(memory, 0L);
    }

    void clear() {
        JAVA_INT.varHandle().setVolatile(memory, 0L, 0);
    }

    @Override
    public void close() {
        if (file.isOpen()) {
            file.close();
            var _ = Native.call(Syscall.MUNMAP, memory.address(), SIZE, 0);
        }
    }
}
