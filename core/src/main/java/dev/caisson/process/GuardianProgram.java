// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.nullPointer;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.Label;
import dev.caisson.linux.child.OnError;
import dev.caisson.linux.child.Step;
import dev.caisson.linux.child.SyscallProgram;
import java.util.List;

/** What the {@link Guardian}'s process does: collects pidfds until the socket ends, then kills whatever they are of. */
final class GuardianProgram {
    /** The parameter that holds its end of the socket. */
    static final String SOCKET = "socket";

    static final String NAME = "caisson-guard";

    /** The descriptor of the first place; those below are for the socket and for what has just arrived. */
    private static final int FIRST = 16;

    private static final int SIGKILL = 9;
    private static final int PR_SET_NAME = 15;
    private static final int PIDFD_SIGNAL_PROCESS_GROUP = 4;
    private static final int HEADER = 56;
    private static final int RIGHTS = 24;
    private static final Arg STDIN = of(0);

    private final SyscallProgram.Builder program = SyscallProgram.builder().phase("guardian");
    private final Arg place = Arg.buffer("place", Integer.BYTES);
    private final Arg vector = Arg.buffer("iov", 16);
    private final Arg header = Arg.buffer("msghdr", HEADER);
    private final Arg rights = Arg.buffer("rights", RIGHTS);
    private final Arg last = Arg.buffer("last", Long.BYTES);
    private final Arg current = Arg.buffer("current", Long.BYTES);

    SyscallProgram build() {
        settle();
        var orphaned = program.label();
        collect(orphaned);
        program.bind(orphaned);
        kill();
        return program.call(Syscall.EXIT_GROUP, of(0)).build();
    }

    private void settle() {
        program.purpose("stand apart: no terminal, no directory, no descriptor but the socket");
        program.call(Syscall.SETSID);
        program.call(Syscall.CHDIR, text("/"));
        program.call(Syscall.PRCTL, named(PR_SET_NAME, "PR_SET_NAME"), text(NAME), of(0), of(0), of(0));
        program.purpose("tell that the launch is over");
        program.execute(OnError.ignore(), Syscall.EXECVE, text(""), Arg.argv(List.of()), Arg.envp(List.of()));
        program.call(Syscall.DUP3, Arg.parameter(SOCKET), STDIN, of(0));
        program.call(Syscall.CLOSE_RANGE, of(1), named(0xffff_ffffL, "~0U"), of(0));
    }

    private void collect(Label orphaned) {
        var next = program.label();
        var known = program.label();
        program.purpose("wait for the next pidfd and its place, or for the end of the JVM");
        put(vector, 0, place);
        put(vector, 8, of(Integer.BYTES));
        put(header, 16, vector);
        put(header, 24, of(1));
        put(header, 32, rights);
        program.store(Step.Width.LONG, last, of(FIRST - 1));
        program.bind(next);
        put(header, 40, of(RIGHTS));
        var received = program.result(
                OnError.jump(orphaned),
                "received",
                Syscall.RECVMSG,
                STDIN,
                header,
                named(0x40000000L, "MSG_CMSG_CLOEXEC"));
        program.branch(Step.Condition.EQUAL, received, of(0), orphaned);
        program.purpose("put it there; what was there is of a process that has ended");
        var length = program.load("control length", Step.Width.LONG, program.sum("at", header, of(40)));
        program.branch(Step.Condition.EQUAL, length, of(0), next);
        var arrived = program.load("pidfd", Step.Width.INT, program.sum("at", rights, of(16)));
        var target = program.sum("descriptor", program.load("place", Step.Width.INT, place), of(FIRST));
        program.call(OnError.ignore(), Syscall.DUP3, arrived, target, named(0x80000, "O_CLOEXEC"));
        program.call(Syscall.CLOSE, arrived);
        program.branch(Step.Condition.LESS, target, program.load("last", Step.Width.LONG, last), known);
        program.store(Step.Width.LONG, last, target);
        program.bind(known);
        program.jump(next);
    }

    private void kill() {
        var next = program.label();
        var end = program.label();
        program.purpose("kill what outlived the JVM");
        program.store(Step.Width.LONG, current, of(FIRST));
        program.bind(next);
        var pidfd = program.load("pidfd", Step.Width.LONG, current);
        program.branch(Step.Condition.LESS, program.load("last", Step.Width.LONG, last), pidfd, end);
        // The group too, where the kernel can (Linux 6.9): without a PID namespace there may be more than the leader.
        program.call(
                OnError.ignore(),
                Syscall.PIDFD_SEND_SIGNAL,
                pidfd,
                named(SIGKILL, "SIGKILL"),
                nullPointer(),
                named(PIDFD_SIGNAL_PROCESS_GROUP, "PIDFD_SIGNAL_PROCESS_GROUP"));
        program.call(
                OnError.ignore(Errno.ESRCH, Errno.EBADF, Errno.EPERM),
                Syscall.PIDFD_SEND_SIGNAL,
                pidfd,
                named(SIGKILL, "SIGKILL"),
                nullPointer(),
                of(0));
        program.store(Step.Width.LONG, current, program.sum("next", pidfd, of(1)));
        program.jump(next);
        program.bind(end);
    }

    private void put(Arg structure, int offset, Arg value) {
        program.store(Step.Width.LONG, program.sum("at", structure, of(offset)), value);
    }
}
