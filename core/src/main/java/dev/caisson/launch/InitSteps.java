// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.nullPointer;
import static dev.caisson.linux.call.Arg.of;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.Label;
import dev.caisson.linux.child.OnError;
import dev.caisson.linux.child.Step;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.CloneFlags;

/**
 * A process of ours between the JVM and the command: the isolated image itself, which forks the command, reaps whatever loses
 * its parent, passes signals on, and reports the command's wait status.
 *
 * <p>As an init it is PID 1, and ends when the command does, and with it everything in the PID namespace. As a reaper, in a PID
 * namespace with others, it is a child subreaper, and goes when nothing is left of what the command has started: it tells
 * the JVM, which looks for that and kills it, that there is more to wait for.
 */
final class InitSteps {
    private static final int SIGCHLD = 17;
    private static final int WNOHANG = 1;
    private static final int WEXITED = 4;
    private static final int WNOWAIT = 0x0100_0000;
    private static final int SIGNAL_SET = 8;
    private static final long ALL_SIGNALS = -1;
    private static final Arg FORK =
            named(CloneFlags.CLONE_VM | CloneFlags.CLONE_VFORK | SIGCHLD, "CLONE_VM|CLONE_VFORK|SIGCHLD");

    private final SyscallProgram.Builder program;

    InitSteps(SyscallProgram.Builder program) {
        this.program = program;
    }

    /** @param mayBeSeen whether a JVM without privileges is to be able to look at it */
    void plan(boolean mayBeSeen) {
        program.phase("init");
        program.purpose("be called an init");
        var command = program.label();
        var pid = fork(command, "caisson-init");
        if (mayBeSeen) {
            // It has what the command has, no more: who may trace that may trace this. Its user may join it.
            ExecSteps.dumpable(program, "let the JVM's user join it", 1);
        }
        closeAllButStatus();
        var status = awaitEnd(pid);
        report(status, Integer.BYTES);
        program.call(Syscall.EXIT_GROUP, of(0));
        program.bind(command);
        program.purpose("lead a session of its own");
        program.call(Syscall.SETSID);
    }

    void planReaper() {
        program.phase("reaper");
        program.purpose("get back the descendants of the command that lose their parent, to end with it");
        program.call(Syscall.PRCTL, named(36, "PR_SET_CHILD_SUBREAPER"), of(1), of(0), of(0), of(0));
        var reaper = program.result("reaper", Syscall.GETPID);
        var command = program.label();
        var pid = fork(command, "caisson-reaper");
        closeAllButStatus();
        var status = awaitEnd(pid);
        awaitDescendants(status);
        program.bind(command);
        program.purpose("end with the reaper, and lead a session of its own");
        program.call(Syscall.PRCTL, named(1, "PR_SET_PDEATHSIG"), named(9, "SIGKILL"), of(0), of(0), of(0));
        var held = program.label();
        program.branch(Step.Condition.EQUAL, program.result("parent", Syscall.GETPPID), reaper, held);
        program.call(Syscall.EXIT_GROUP, of(127)); // It has ended before.
        program.bind(held);
        program.call(Syscall.SETSID);
    }

    private Arg fork(Label command, String name) {
        // Before the command can look.
        program.call(Syscall.PRCTL, named(15, "PR_SET_NAME"), Arg.text(name), of(0), of(0), of(0));
        program.purpose("fork the command").task(LaunchTask.FORK_COMMAND);
        // As vfork(2): no page is copied for a child that is about to execve, and this side waits until it has.
        var pid = program.result("command", Syscall.CLONE, FORK, of(0), of(0), of(0), of(0));
        program.branch(Step.Condition.EQUAL, pid, of(0), command);
        return pid;
    }

    /** One that held the command's pipes open would keep their readers waiting. */
    private void closeAllButStatus() {
        program.purpose("hold nothing open but the way to report");
        var status = program.descriptor(Slots.STATUS);
        var below = program.sum("below", status, of(-1));
        var above = program.sum("above", status, of(1));
        program.call(Syscall.CLOSE_RANGE, of(0), below, of(0));
        program.call(Syscall.CLOSE_RANGE, above, named(0xffff_ffffL, "~0U"), of(0));
    }

    /** {@return where the wait status of the command is, which has ended} */
    private Arg awaitEnd(Arg pid) {
        var wait = program.label();
        var reap = program.label();
        var status = Arg.buffer("wait status", 2 * Integer.BYTES);
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
        // Who asks to be traced (PTRACE_TRACEME) is traced by its parent, to which wait4 tells stops, too.
        var gone = program.label();
        program.purpose("see whether it is gone, or only stopped");
        program.call(
                OnError.jump(gone),
                Syscall.WAITID,
                named(1, "P_PID"),
                pid,
                nullPointer(),
                named(WEXITED | WNOHANG | WNOWAIT, "WEXITED|WNOHANG|WNOWAIT"),
                nullPointer());
        program.jump(reap);
        program.bind(gone);
        return status;
    }

    private void report(Arg status, int length) {
        program.purpose("report how the command ended");
        program.call(OnError.ignore(), Syscall.WRITE, program.descriptor(Slots.STATUS), status, of(length));
    }

    /** That no child is left the kernel itself says: none can hide, since whoever loses its parent becomes one. */
    private void awaitDescendants(Arg status) {
        var more = program.label();
        var none = program.label();
        var rest = program.label();
        var gone = program.label();
        program.purpose("see whether it has left anything behind");
        program.bind(more);
        var left = program.result(
                OnError.jump(none),
                "left",
                Syscall.WAIT4,
                of(-1),
                nullPointer(),
                named(WNOHANG, "WNOHANG"),
                nullPointer());
        program.branch(Step.Condition.NOT_EQUAL, left, of(0), more);
        report(status, 2 * Integer.BYTES);
        program.purpose("wait until the JVM has killed all of it");
        program.bind(rest);
        program.call(OnError.jump(gone), Syscall.WAIT4, of(-1), nullPointer(), of(0), nullPointer());
        program.jump(rest);
        program.bind(none);
        report(status, Integer.BYTES);
        program.bind(gone);
        program.call(Syscall.EXIT_GROUP, of(0));
    }
}
