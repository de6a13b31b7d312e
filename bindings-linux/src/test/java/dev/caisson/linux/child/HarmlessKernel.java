// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import java.io.ByteArrayOutputStream;

/** Linux, as far as {@link RandomProgram} knows it: a umask, a parent-death signal, and many ways to be refused. */
final class HarmlessKernel implements SimulatedKernel {
    private static final int LAST_SIGNAL = 64;

    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final boolean emulated;
    private long umask;
    private int parentDeathSignal;

    /** Emulated if it is QEMU's, which takes a signal's number as an int, where Linux takes the whole word. */
    HarmlessKernel(int umask, boolean emulated) {
        this.umask = umask;
        this.emulated = emulated;
    }

    byte[] written() {
        return written.toByteArray();
    }

    @Override
    public long call(Syscall syscall, long[] args, SimulatedMemory memory) {
        return switch (syscall) {
            case UMASK -> {
                long old = umask;
                umask = args[0] & 0777;
                yield old;
            }
            case PRCTL -> prctl(args, memory);
            case CHDIR -> memory.string(args[0]).equals("/") ? 0 : -Errno.ENOENT.code();
            case EXECVE -> -Errno.ENOENT.code();
            case CLOSE, LSEEK, DUP -> -Errno.EBADF.code();
            case GETPGID, KILL -> -Errno.ESRCH.code();
            case WRITE -> {
                written.writeBytes(memory.at(args[1], args[2]).toArray(JAVA_BYTE));
                yield args[2];
            }
            default -> throw new AssertionError(syscall);
        };
    }

    private long prctl(long[] args, SimulatedMemory memory) {
        if (args[0] == RandomProgram.PR_GET_PDEATHSIG) {
            memory.at(args[1], Integer.BYTES).set(JAVA_INT_UNALIGNED, 0, parentDeathSignal);
            return 0;
        }
        long signal = emulated ? (int) args[1] : args[1];
        if (Long.compareUnsigned(signal, LAST_SIGNAL) > 0) {
            return -Errno.EINVAL.code();
        }
        parentDeathSignal = (int) signal;
        return 0;
    }
}
