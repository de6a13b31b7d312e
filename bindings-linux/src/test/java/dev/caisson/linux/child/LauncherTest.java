// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.sys.Files;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(NoLeaks.class)
class LauncherTest {
    private static final Launcher LAUNCHER = new Launcher();
    private static final long NEWUSER = 0x10000000;
    private static final long NEWNS_NEWPID = 0x20020000;

    @AfterAll
    static void close() {
        LAUNCHER.close();
    }

    private static SyscallProgram.Builder program() {
        return SyscallProgram.builder().phase("test");
    }

    private static SyscallProgram exec(String... argv) {
        return finish(program(), argv);
    }

    private static SyscallProgram finish(SyscallProgram.Builder program, String... argv) {
        return program.execute(
                        OnError.fail(),
                        Syscall.EXECVE,
                        Arg.text(argv[0]),
                        Arg.argv(List.of(argv)),
                        Arg.envp(List.of("PATH=/usr/bin:/bin")))
                .build();
    }

    private static Outcome launch(Launch.Mode mode, SyscallProgram program, long flags, Map<Arg.Slot, Integer> fds)
            throws IOException {
        return launch(mode, program, flags, fds, Map.of());
    }

    private static Outcome launch(
            Launch.Mode mode, SyscallProgram program, long flags, Map<Arg.Slot, Integer> fds, Map<String, Gate> gates)
            throws IOException {
        var encoded = Encoder.encode(program, Arch.host());
        return LAUNCHER.launch(new Launch(encoded, mode, flags, OptionalInt.empty(), fds, gates));
    }

    private static int exitCode(Outcome outcome) throws IOException {
        var child = assertInstanceOf(Outcome.Child.class, outcome);
        return child.reap().exitCode().orElseThrow();
    }

    @ParameterizedTest
    @EnumSource
    void runsAProgramAndReapsIt(Launch.Mode mode) throws IOException {
        assertEquals(7, exitCode(launch(mode, exec("/bin/sh", "-c", "exit 7"), 0, Map.of())));
    }

    @ParameterizedTest
    @EnumSource
    void namesTheStepThatFailedAndItsErrno(Launch.Mode mode) throws IOException {
        var program = finish(
                program().call(Syscall.GETPID).purpose("work").call(Syscall.CHDIR, Arg.text("/nowhere")), "/bin/true");
        var failure = assertInstanceOf(Outcome.ChildFailure.class, launch(mode, program, 0, Map.of()));
        assertEquals(OptionalInt.of(1), failure.index());
        assertEquals(Errno.ENOENT, failure.errno());
        assertEquals("work", failure.step().purpose());
    }

    @ParameterizedTest
    @EnumSource
    void reportsAnExecveThatFails(Launch.Mode mode) throws IOException {
        var failure = assertInstanceOf(Outcome.ChildFailure.class, launch(mode, exec("/nowhere"), 0, Map.of()));
        assertEquals(Errno.ENOENT, failure.errno());
    }

    @ParameterizedTest
    @EnumSource
    void ignoresOnlyTheErrnosItWasTold(Launch.Mode mode) throws IOException {
        var enoent = program().call(OnError.ignore(Errno.ENOENT), Syscall.CHDIR, Arg.text("/nowhere"));
        assertEquals(0, exitCode(launch(mode, finish(enoent, "/bin/true"), 0, Map.of())));
        var enotdir = program().call(OnError.ignore(Errno.ENOTDIR, Errno.EACCES), Syscall.CHDIR, Arg.text("/nowhere"));
        assertInstanceOf(Outcome.ChildFailure.class, launch(mode, finish(enotdir, "/bin/true"), 0, Map.of()));
    }

    /** Every operation of the table once: the child computes 42, branches on it, and exits with it. */
    @ParameterizedTest
    @EnumSource
    void computesBranchesLoadsAndStores(Launch.Mode mode) throws IOException {
        var b = program();
        var memory = Arg.buffer("memory", 16);
        var wrong = b.label();
        var loop = b.label();
        var done = b.label();
        b.store(Step.Width.LONG, memory, Arg.of(0));
        b.bind(loop);
        var old = b.load("old", Step.Width.LONG, memory);
        var sum = b.sum("sum", old, Arg.of(21));
        b.store(Step.Width.LONG, memory, sum);
        b.branch(Step.Condition.LESS, sum, Arg.of(42), loop);
        b.branch(Step.Condition.NOT_EQUAL, sum, Arg.of(42), wrong);
        b.branch(Step.Condition.ANY_BIT, sum, Arg.of(5), wrong);
        b.store(Step.Width.INT, memory, Arg.of(-1));
        var minusOne = b.load("int", Step.Width.INT, memory);
        b.branch(Step.Condition.EQUAL, minusOne, Arg.of(-1), done);
        b.bind(wrong).fail(Arg.of(Errno.EIO.code()));
        b.bind(done);
        // An execve that fails and is ignored makes the launch count as done; the exit code comes from here.
        b.execute(OnError.ignore(), Syscall.EXECVE, Arg.text("/nowhere"), Arg.argv(List.of()), Arg.envp(List.of()));
        b.call(Syscall.EXIT_GROUP, sum);
        assertEquals(42, exitCode(launch(mode, b.build(), 0, Map.of())));
    }

    @ParameterizedTest
    @EnumSource
    void passesDescriptorsByParameter(Launch.Mode mode) throws IOException {
        try (var pipe = Files.pipe();
                var arena = Arena.ofConfined()) {
            var program =
                    finish(program().call(Syscall.DUP3, Arg.slot("out"), Arg.of(1), Arg.of(0)), "/bin/echo", "hi");
            assertEquals(
                    0,
                    exitCode(launch(
                            mode,
                            program,
                            0,
                            Map.of(Arg.slot("out"), pipe.writer().number()))));
            var buffer = arena.allocate(16);
            int count = Files.read(pipe.reader(), buffer);
            assertEquals("hi\n", new String(buffer.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE)));
        }
    }

    @NeedsRoot
    @Test
    void waitsAtAGateUntilTheParentHasDoneItsWork() throws IOException {
        var program = finish(
                program().gate("ids"), "/bin/sh", "-c", "read inside outside count < /proc/self/uid_map; exit $count");
        Gate ids = pid -> java.nio.file.Files.writeString(Path.of("/proc/" + pid + "/uid_map"), "0 100000 77");
        assertEquals(
                77,
                exitCode(launch(Launch.Mode.ISOLATED, program, NEWUSER | NEWNS_NEWPID, Map.of(), Map.of("ids", ids))));
    }

    @Test
    void throwsWhatAGateThrewAndLeavesNoChild() {
        var refusal = new IOException("no");
        Gate refuse = pid -> {
            throw refusal;
        };
        var program = finish(program().gate("work"), "/bin/true");
        var thrown = assertThrows(
                IOException.class, () -> launch(Launch.Mode.ISOLATED, program, 0, Map.of(), Map.of("work", refuse)));
        assertEquals(refusal, thrown);
    }

    @Test
    void survivesABugInTheWorkAtAGate() {
        Gate bug = pid -> {
            throw new IllegalStateException("bug");
        };
        var program = finish(program().gate("work"), "/bin/true");
        assertThrows(IOException.class, () -> launch(Launch.Mode.ISOLATED, program, 0, Map.of(), Map.of("work", bug)));
    }

    @Test
    void servesNoGateForAChildThatFailsBeforeIt() throws IOException {
        Gate never = pid -> {
            throw new IOException("must not be reached");
        };
        var program = finish(program().call(Syscall.CHDIR, Arg.text("/nowhere")).gate("work"), "/bin/true");
        assertInstanceOf(
                Outcome.ChildFailure.class, launch(Launch.Mode.ISOLATED, program, 0, Map.of(), Map.of("work", never)));
    }

    @ParameterizedTest
    @EnumSource
    void leavesNothingBehindWhicheverStepFails(Launch.Mode mode) throws Exception {
        var program = program();
        for (int i = 0; i < 5; i++) {
            program.call(Syscall.GETPID);
        }
        if (mode == Launch.Mode.ISOLATED) {
            program.gate("work");
        }
        var complete = finish(program.call(Syscall.SETSID), "/bin/true");
        Gate nothing = pid -> {};
        for (int k = 0; k < complete.steps().size(); k++) {
            if (complete.steps().get(k).operation() instanceof Step.Fail) {
                continue; // Reached only when the gate refuses.
            }
            var before = NoLeaks.snapshot();
            var outcome = launch(mode, complete.failingAt(k, Errno.EIO), 0, Map.of(), Map.of("work", nothing));
            var failure = assertInstanceOf(Outcome.ChildFailure.class, outcome);
            assertEquals(OptionalInt.of(k), failure.index());
            assertEquals(Errno.EIO, failure.errno());
            NoLeaks.assertEqualsSoon(before);
        }
    }

    @ParameterizedTest
    @EnumSource
    void launchesHundredsAtOnceFromVirtualAndPlatformThreads(Launch.Mode mode) throws Exception {
        var encoded = Encoder.encode(exec("/bin/true"), Arch.host());
        Callable<Integer> one =
                () -> exitCode(LAUNCHER.launch(new Launch(encoded, mode, 0, OptionalInt.empty(), Map.of(), Map.of())));
        for (ExecutorService threads :
                List.of(Executors.newVirtualThreadPerTaskExecutor(), Executors.newFixedThreadPool(16))) {
            try (threads) {
                var all = new ArrayList<Callable<Integer>>();
                for (int i = 0; i < 200; i++) {
                    all.add(one);
                }
                for (var result : threads.invokeAll(all)) {
                    assertEquals(0, result.get());
                }
            }
        }
    }
}
