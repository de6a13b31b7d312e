// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.nullPointer;
import static dev.caisson.linux.call.Arg.of;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.flag.AtFlags;

/**
 * What the zygote does when the JVM has ended, however that was: kill all children, wait until they are gone, and remove the
 * directories that the JVM left word of in the {@link Ledger}.
 */
final class OrphanedSteps {
    private static final int SIGKILL = 9;
    private static final int POLLIN = 1;
    private static final int PIDFD_SIGNAL_PROCESS_GROUP = 4;

    /** For all together: the kernel counts it down from one wait to the next. */
    private static final int PATIENCE_SECONDS = 10;

    private static final int PAUSE_NANOS = 2_000_000;
    private static final int MOST_PAUSES = 1000;

    private final SyscallProgram.Builder program;
    private final Arg last;
    private final Arg current = Arg.buffer("current", Long.BYTES);
    private final Arg pauses = Arg.buffer("pauses", Long.BYTES);
    private final Arg pollfd = Arg.buffer("pollfd", Long.BYTES);
    private final Arg patience = Arg.buffer("patience", 2 * Long.BYTES);

    /** @param last memory that holds the highest descriptor that may be a child's pidfd */
    OrphanedSteps(SyscallProgram.Builder program, Arg last) {
        this.program = program;
        this.last = last;
    }

    void plan() {
        kill();
        await();
        remove();
        program.call(Syscall.EXIT_GROUP, of(0));
    }

    private void kill() {
        var next = program.label();
        var end = program.label();
        program.purpose("kill what outlived the JVM");
        var pidfd = each(next, end);
        // The group too, where the kernel can (Linux 6.9): without a PID namespace there may be more than the leader.
        signal(pidfd, named(PIDFD_SIGNAL_PROCESS_GROUP, "PIDFD_SIGNAL_PROCESS_GROUP"));
        signal(pidfd, of(0));
        program.jump(next);
        program.bind(end);
    }

    private void signal(Arg pidfd, Arg flags) {
        program.call(
                OnError.ignore(), Syscall.PIDFD_SEND_SIGNAL, pidfd, named(SIGKILL, "SIGKILL"), nullPointer(), flags);
    }

    private void await() {
        var next = program.label();
        var end = program.label();
        program.purpose("wait until they are gone");
        program.store(Step.Width.LONG, patience, of(PATIENCE_SECONDS));
        program.store(Step.Width.INT, program.sum("events", pollfd, of(Integer.BYTES)), of(POLLIN));
        var pidfd = each(next, end);
        program.store(Step.Width.INT, pollfd, pidfd);
        program.call(OnError.ignore(), Syscall.PPOLL, pollfd, of(1), patience, nullPointer(), of(0));
        program.jump(next);
        program.bind(end);
    }

    private void remove() {
        var next = program.label();
        var again = program.label();
        var busy = program.label();
        var end = program.label();
        program.purpose("remove the cgroups that the JVM left");
        program.store(Step.Width.LONG, current, named(ZygoteProgram.LEDGER_ADDRESS + Ledger.WILLS, "first"));
        var count = program.load("wills", Step.Width.INT, named(ZygoteProgram.LEDGER_ADDRESS, "ledger"));
        program.store(Step.Width.LONG, pollfd, count);
        program.bind(next);
        var left = program.load("left", Step.Width.LONG, pollfd);
        program.branch(Step.Condition.LESS, left, of(1), end);
        program.store(Step.Width.LONG, pollfd, program.sum("left", left, of(-1)));
        program.bind(again);
        var path = program.load("path", Step.Width.LONG, current);
        var removed = program.result(
                OnError.ignore(), "removed", Syscall.UNLINKAT, AtFlags.CWD, path, AtFlags.of(AtFlags.AT_REMOVEDIR));
        program.branch(Step.Condition.EQUAL, removed, of(-Errno.EBUSY.code()), busy);
        program.store(Step.Width.LONG, current, program.sum("next", path, of(Ledger.WILL_SIZE)));
        program.jump(next);
        program.bind(busy);
        var paused = program.sum("pauses", program.load("pauses", Step.Width.LONG, pauses), of(1));
        program.store(Step.Width.LONG, pauses, paused);
        program.branch(Step.Condition.LESS, of(MOST_PAUSES), paused, end);
        program.call(
                OnError.ignore(),
                Syscall.NANOSLEEP,
                Arg.words("{0, " + PAUSE_NANOS + "}", 0, PAUSE_NANOS),
                nullPointer());
        program.jump(again);
        program.bind(end);
    }

    /** Begins a loop over all pidfds; to be ended by a jump to {@code next} and the label {@code end}. */
    private Arg each(Label next, Label end) {
        program.store(Step.Width.LONG, current, of(ZygoteProgram.FIRST_PLACE - 1));
        program.bind(next);
        var pidfd = program.sum("pidfd", program.load("previous", Step.Width.LONG, current), of(1));
        program.store(Step.Width.LONG, current, pidfd);
        program.branch(Step.Condition.LESS, program.load("last", Step.Width.LONG, last), pidfd, end);
        return pidfd;
    }
}
