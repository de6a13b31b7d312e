// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import static dev.caisson.linux.Syscall.*;
import static dev.caisson.seccomp.Arg.arg;

import dev.caisson.linux.Errno;
import java.util.List;
import java.util.Set;

/** Ready-made policies beside {@link StandardPolicy}. */
final class Presets {
    private static final int AF_UNIX = 1;

    private Presets() {}

    /** No file, process, socket or thread can be made; what is open can be read and written. */
    static Seccomp pureComputation() {
        return Seccomp.otherwise(Action.killProcess())
                .architectures(dev.caisson.linux.Arch.host())
                .allow(READ, READV, PREAD64, WRITE, WRITEV, PWRITE64, LSEEK, CLOSE, FSTAT, POLL, PPOLL)
                .allow(BRK, MMAP, MUNMAP, MREMAP, MPROTECT, MADVISE, MEMBARRIER, RSEQ, FUTEX, GETRANDOM)
                .allow(CLOCK_GETTIME, CLOCK_GETRES, CLOCK_NANOSLEEP, NANOSLEEP, GETTIMEOFDAY, TIME, SCHED_YIELD)
                .allow(RT_SIGACTION, RT_SIGPROCMASK, RT_SIGRETURN, SIGALTSTACK, RESTART_SYSCALL)
                .allow(GETPID, GETTID, GETUID, GETEUID, GETGID, GETEGID, ARCH_PRCTL, SET_TID_ADDRESS, SET_ROBUST_LIST)
                .allow(EXIT, EXIT_GROUP);
    }

    static Seccomp noNetwork() {
        var standard = Seccomp.standard();
        var refused = Action.fail(Errno.EACCES);
        // First, so that they decide before what the standard policy allows. io_uring makes sockets without these
        // calls.
        return Seccomp.otherwise(standard.otherwise())
                .architectures(standard.architectures())
                .newerCalls(standard.newerCalls())
                .withAll(List.of(
                        rule(refused, SOCKET, arg(0).isNot(AF_UNIX)),
                        rule(refused, SOCKETPAIR, arg(0).isNot(AF_UNIX)),
                        new Rule(
                                Set.of(IO_URING_SETUP, IO_URING_ENTER, IO_URING_REGISTER, SOCKETCALL),
                                List.of(),
                                refused,
                                Set.of(dev.caisson.linux.Arch.values()),
                                "")))
                .withAll(standard.rules());
    }

    /** A JVM asks for NUMA policies and for its own threads' memory; refusals cost it features, not its life. */
    static Seccomp forJvm() {
        return Seccomp.standard().allow(GET_MEMPOLICY, MBIND, SET_MEMPOLICY, SET_MEMPOLICY_HOME_NODE);
    }

    private static Rule rule(Action action, dev.caisson.linux.Syscall call, Condition condition) {
        return new Rule(Set.of(call), List.of(condition), action, Set.of(dev.caisson.linux.Arch.values()), "");
    }
}
