// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

import static dev.caisson.linux.Syscall.*;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/**
 * How often numbers are looked for. How often a program makes which call differs much, so the calls that most programs make
 * most count only a few times as much as others; numbers that are not calls count nothing.
 */
public final class Frequencies {
    /** Of a call that programs make in loops. */
    public static final double OFTEN = 16;

    private static final double SELDOM = 1;

    /** Calls that are made in loops: of files, memory, locks, events, sockets and time. */
    private static final Set<Syscall> FREQUENT = Collections.unmodifiableSet(EnumSet.of(
            READ,
            WRITE,
            READV,
            WRITEV,
            PREAD64,
            PWRITE64,
            CLOSE,
            LSEEK,
            FSTAT,
            NEWFSTATAT,
            STATX,
            OPENAT,
            FCNTL,
            IOCTL,
            GETDENTS64,
            MMAP,
            MUNMAP,
            MPROTECT,
            MADVISE,
            BRK,
            FUTEX,
            POLL,
            EPOLL_WAIT,
            EPOLL_PWAIT,
            EPOLL_CTL,
            SENDTO,
            RECVFROM,
            SENDMSG,
            RECVMSG,
            RT_SIGACTION,
            RT_SIGPROCMASK,
            CLOCK_GETTIME,
            CLOCK_NANOSLEEP,
            SCHED_YIELD));

    private static final Map<Arch, double[]> BY_INDEX = byIndex();

    private Frequencies() {}

    private static Map<Arch, double[]> byIndex() {
        var all = new EnumMap<Arch, double[]>(Arch.class);
        for (var arch : Arch.values()) {
            var weights = new double[1 + (int) Convention.lastKnown(arch)];
            for (var call : Syscall.values()) {
                call.number(arch)
                        .ifPresent(number -> weights[(int) Convention.index(arch, number)] =
                                FREQUENT.contains(call) ? OFTEN : SELDOM);
            }
            all.put(arch, weights);
        }
        return all;
    }

    /** {@return how often a number is looked for, relative to others} */
    public static double of(Arch arch, long index) {
        var weights = BY_INDEX.getOrDefault(arch, new double[0]);
        return index < weights.length ? weights[(int) index] : 0;
    }
}
