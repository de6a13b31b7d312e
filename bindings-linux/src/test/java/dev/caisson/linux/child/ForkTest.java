// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A payload that is forked beside the first child: whatever happens, both are reaped. */
@ExtendWith(NoLeaks.class)
class ForkTest {
    private static final Launcher LAUNCHER = new Launcher();

    @AfterAll
    static void close() {
        LAUNCHER.close();
    }

    private static SyscallProgram.Builder program() {
        return SyscallProgram.builder().phase("test");
    }

    private static SyscallProgram sh(SyscallProgram.Builder program, String script) {
        return program.execute(
                        OnError.fail(),
                        Syscall.EXECVE,
                        Arg.text("/bin/sh"),
                        Arg.argv(List.of("sh", "-c", script)),
                        Arg.envp(List.of()))
                .build();
    }

    private static Outcome launch(SyscallProgram program) throws IOException {
        return LAUNCHER.launch(Launch.isolated(Encoder.encode(program, Arch.host()), 0, Map.of()));
    }

    @Test
    void theForkedChildIsTheOutcome() throws Exception {
        var child = assertInstanceOf(Outcome.Child.class, launch(sh(program().fork(), "exit $(($$ & 127))")));
        assertEquals(child.pid() & 127, child.reap().exitCode().orElseThrow());
    }

    @Test
    void aFailureOfTheForkedChildIsReportedAndBothAreReaped() throws Exception {
        var program = sh(program().fork().purpose("work").call(Syscall.CHDIR, Arg.text("/nowhere")), "true");
        for (int i = 0; i < 50; i++) {
            var failure = assertInstanceOf(Outcome.ChildFailure.class, launch(program));
            assertEquals(Errno.ENOENT, failure.errno());
            assertEquals("work", failure.step().purpose());
        }
    }

    /** The race that reading on to the end of file is for: the failure arrives first, the news of the fork later. */
    @Test
    void aFailureThatOvertakesTheNewsOfTheForkLeavesNoZombie() throws Exception {
        var program = program();
        var forked = program.label();
        var report = Arg.buffer("report", TableLayout.REPORT_SIZE);
        program.store(Step.Width.INT, report, Arg.of(TableLayout.FORKED));
        var field = program.sum("field", report, Arg.of(TableLayout.FAILED_ERRNO));
        int parentSetTidParentSigchld = 0x100000 | 0x8000 | 17;
        var pid = program.result(
                "pid", Syscall.CLONE, Arg.of(parentSetTidParentSigchld), Arg.of(0), field, Arg.of(0), Arg.of(0));
        program.branch(Step.Condition.EQUAL, pid, Arg.of(0), forked);
        program.call(Syscall.NANOSLEEP, Arg.words("{0, 50000000}", 0, 50_000_000), Arg.nullPointer());
        program.call(Syscall.WRITE, SyscallProgram.REPORT, report, Arg.of(TableLayout.REPORT_SIZE));
        program.call(Syscall.EXIT_GROUP, Arg.of(0));
        program.bind(forked).fail(Arg.of(Errno.EIO.code()));
        var failure = assertInstanceOf(Outcome.ChildFailure.class, launch(program.build()));
        assertEquals(Errno.EIO, failure.errno());
    }

    @Test
    void aForkThatIsNotAllowedIsAFailureLikeAnyOther() throws Exception {
        var program = program();
        program.call(Syscall.PRLIMIT64, Arg.of(0), Arg.of(7), Arg.words("{RLIMIT_NOFILE, 4}", 4, 4), Arg.nullPointer());
        var failure = assertInstanceOf(Outcome.ChildFailure.class, launch(sh(program.fork(), "true")));
        assertEquals(Errno.EMFILE, failure.errno());
    }
}
