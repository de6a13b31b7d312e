// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Memory of other processes (process_vm_readv(2)), as far as it can be reached from one address on. It requires the right to
 * trace them.
 */
public final class ProcessMemory {
    private ProcessMemory() {}

    /**
     * Reads from a process.
     *
     * @return how many bytes were there; 0 if the address is bad
     */
    public static long read(int pid, long address, MemorySegment into) throws LinuxException {
        return transfer(Syscall.PROCESS_VM_READV, pid, address, into);
    }

    /**
     * Writes to a process.
     *
     * @return how many bytes could be written; 0 if the address is bad
     */
    public static long write(int pid, long address, MemorySegment from) throws LinuxException {
        return transfer(Syscall.PROCESS_VM_WRITEV, pid, address, from);
    }

    private static long transfer(Syscall call, int pid, long address, MemorySegment here) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var vectors = arena.allocate(JAVA_LONG, 4);
            vectors.setAtIndex(JAVA_LONG, 0, here.address());
            vectors.setAtIndex(JAVA_LONG, 1, here.byteSize());
            vectors.setAtIndex(JAVA_LONG, 2, address);
            vectors.setAtIndex(JAVA_LONG, 3, here.byteSize());
            long result = Native.call(call, pid, vectors.address(), 1, vectors.address() + 2 * Long.BYTES, 1, 0);
            if (result == -Errno.EFAULT.code()) {
                return 0;
            }
            if (Native.failed(result)) {
                throw new LinuxException(
                        Native.errno(result),
                        call.kernelName() + "(" + pid + ", 0x" + Long.toHexString(address) + ", " + here.byteSize()
                                + ")");
            }
            return result;
        }
    }
}
