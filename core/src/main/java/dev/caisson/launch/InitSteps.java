// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.nullPointer;
import static dev.caisson.linux.call.Arg.of;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.OnError;
import dev.caisson.linux.child.Step;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.CloneFlags;

/**
 * An init as PID 1: the isolated image itself, which forks the command, reaps whatever is orphaned, passes signals on, and
 * ends, and with it everything in the PID namespace, when the command does. It reports the command's wait status.
 */
final class InitSteps {
    private static final int SIGCHLD = 17;
    private static final int WNOHANG = 1;
    private static final int SIGNAL_SET = 8;
    private static final long ALL_SIGNALS = -1;
    private static final Arg FORK =
            named(CloneFlags.CLONE_VM | CloneFlags.CLONE_VFORK | SIGCHLD, "CLONE_VM|CLONE_VFORK|SIGCHLD");

    private final SyscallProgram.Builder program;
    private final boolean mayBeSeen;

    /** @param mayBeSeen whether a JVM without privileges is to be able to look at it */
    InitSteps(SyscallProgram.Builder program, boolean mayBeSeen) {
        this.program = program;
        this.mayBeSeen = mayBeSeen;
    }

    void plan() {
        program.phase("init");
        program.purpose("fork the command").task(LaunchTask.FORK_COMMAND);
        var command = program.label();
        // As vfork(2): no page is copied for a child that is about to execve, and this side waits until it has.
        var pid = program.result("command", Syscall.CLONE, FORK, of(0), of(0), of(0), of(0));
        program.branch(Step.Condition.EQUAL, pid, of(0), command);
        program.call(Syscall.PRCTL, named(15, "PR_SET_NAME"), Arg.text("caisson-init"), of(0), of(0), of(0));
        if (mayBeSeen) {
            // It has what the command has, no more: who may trace that may trace this. Its user may join it.
            ExecSteps.dumpable(program, "let the JVM's user join it", 1);
        }
        closeAllButStatus();
        loop(pid);
        program.bind(command);
        program.purpose("lead a session of its own");
        program.call(Syscall.SETSID);
    }

    /** An init that held the command's pipes open would keep their readers waiting. */
    private void closeAllButStatus() {
        program.purpose("hold nothing open but the way to report");
        var status = program.descriptor(Slots.STATUS);
        var below = program.sum("below", status, of(-1));
        var above = program.sum("above", status, of(1));
        program.call(Syscall.CLOSE_RANGE, of(0), below, of(0));
        program.call(Syscall.CLOSE_RANGE, above, named(0xffff_ffffL, "~0U"), of(0));
    }

    private void loop(Arg pid) {
        var wait = program.label();
        var reap = program.label();
        var status = Arg.buffer("wait status", Integer.BYTES);
        program.purpose("wait for a signal");
        program.bind(wait);
        // All signals are blocked since before clone3, so none is missed and none is acted upon.
        var signal = program.result(
                OnError.jump(wait),
                "signal",
                Syscall.RT_SIGTIMEDWAIT,
                Arg.words("~[]", ALL_SIGNALS),
                nullPointer(),
                nullPointer(),
                of(SIGNAL_SET));
        program.branch(Step.Condition.EQUAL, signal, of(SIGCHLD), reap);
        program.purpose("pass it on");
        program.call(OnError.ignore(Errno.ESRCH, Errno.EPERM), Syscall.KILL, pid, signal);
        program.jump(wait);
        program.purpose("reap");
        program.bind(reap);
        var ended = program.result(
                OnError.jump(wait), "ended", Syscall.WAIT4, of(-1), status, named(WNOHANG, "WNOHANG"), nullPointer());
        program.branch(Step.Condition.EQUAL, ended, of(0), wait);
        program.branch(Step.Condition.NOT_EQUAL, ended, pid, reap);
        program.purpose("report how the command ended");
        program.call(OnError.ignore(), Syscall.WRITE, program.descriptor(Slots.STATUS), status, of(Integer.BYTES));
        program.call(Syscall.EXIT_GROUP, of(0));
    }
}
