// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static dev.caisson.linux.flag.CloneFlags.CLONE_PARENT;
import static dev.caisson.linux.flag.CloneFlags.CLONE_PARENT_SETTID;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.flag.OpenFlags;

/**
 * Forks a second child and lets the first one end. The second is a child of the launcher (CLONE_PARENT), which learns its
 * pid from the first one by a report, and the second waits until that report is written: if the first one is killed before,
 * the second ends too, since nobody would know of it.
 */
final class ForkSteps {
    private static final int SIGCHLD = 17;

    private ForkSteps() {}

    static void add(SyscallProgram.Builder program) {
        var ends = Arg.buffer("go-ahead", 2 * Integer.BYTES);
        program.call(Syscall.PIPE2, ends, OpenFlags.of(OpenFlags.O_CLOEXEC));
        var reader = program.load("go-ahead reader", Step.Width.INT, ends);
        var second = program.sum("second", ends, Arg.of(Integer.BYTES));
        var writer = program.load("go-ahead writer", Step.Width.INT, second);
        var report = Arg.buffer("fork report", TableLayout.REPORT_SIZE);
        program.store(Step.Width.INT, report, Arg.of(TableLayout.FORKED));
        var field = program.sum("pid field", report, Arg.of(TableLayout.FAILED_ERRNO));
        var reports = program.load("report descriptor", Step.Width.INT, program.reportWord());
        var child = program.label();
        var told = program.label();
        // From here to the report nothing may fail: the kernel itself writes the pid into it.
        var pid = program.result(
                "pid",
                Syscall.CLONE,
                Arg.named(CLONE_PARENT | CLONE_PARENT_SETTID | SIGCHLD, "CLONE_PARENT|CLONE_PARENT_SETTID|SIGCHLD"),
                Arg.of(0),
                field,
                Arg.of(0),
                Arg.of(0));
        program.branch(Step.Condition.EQUAL, pid, Arg.of(0), child);
        program.call(Syscall.WRITE, reports, report, Arg.of(TableLayout.REPORT_SIZE));
        program.call(OnError.ignore(), Syscall.WRITE, writer, report, Arg.of(1));
        program.call(Syscall.EXIT_GROUP, Arg.of(0));
        program.bind(child);
        program.call(Syscall.CLOSE, writer);
        var count = program.result("told", Syscall.READ, reader, report, Arg.of(1));
        program.branch(Step.Condition.EQUAL, count, Arg.of(1), told);
        program.call(Syscall.EXIT_GROUP, Arg.of(127));
        program.bind(told);
        program.call(Syscall.CLOSE, reader);
    }
}
