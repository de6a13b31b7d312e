// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Signal;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Output by lines, to several places, into a ring, and up to a limit. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
@Timeout(60)
class OutputTest {
    private static final Exit OVER_LIMIT = new Exit.Killed(Signal.SIGKILL, Exit.Cause.OUTPUT_LIMIT);

    private static List<String> numbers(int last) {
        return IntStream.rangeClosed(1, last).mapToObj(Integer::toString).toList();
    }

    @Test
    void runReturnsWhenTheLastLineWasGiven() throws Exception {
        for (int i = 0; i < 10; i++) {
            var lines = new ArrayList<String>();
            var errors = new ArrayList<String>();
            var exit = overHost()
                    .stdout(Stdio.lines(lines::add))
                    .stderr(Stdio.lines(errors::add))
                    .run("sh", "-c", "seq 1 20000; printf 'no line feed' >&2; exit 3");
            assertEquals(new Exit.Exited(3), exit);
            assertEquals(numbers(20_000), lines);
            assertEquals(List.of("no line feed"), errors);
        }
    }

    @Test
    void aSlowFunctionSlowsTheCommandAndLosesNothing() throws Exception {
        var go = new CountDownLatch(1);
        var lines = new ArrayList<String>();
        var builder = overHost()
                .stdout(Stdio.lines(line -> {
                    await(go);
                    lines.add(line);
                }))
                .stderr(Stdio.discard());
        try (var container = builder.start("seq", "1", "100000")) {
            assertEquals(Optional.empty(), container.waitFor(Duration.ofMillis(300)));
            assertTrue(container.isAlive()); // Half a megabyte does not fit into its pipe.
            go.countDown();
            assertEquals(new Exit.Exited(0), container.waitFor());
            assertEquals(numbers(100_000), lines);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException closed) {
            throw new IllegalStateException(closed);
        }
    }

    @Test
    void theFunctionIsCalledByAThreadOfTheStream() throws Exception {
        var threads = new LinkedBlockingQueue<Thread>();
        overHost()
                .stdout(Stdio.lines(_ -> threads.add(Thread.currentThread())))
                .stderr(Stdio.lines(_ -> threads.add(Thread.currentThread())))
                .run("sh", "-c", "echo a; echo b; sleep 0.1; echo c; echo d >&2")
                .orThrow();
        assertEquals(4, threads.size());
        assertEquals(
                List.of("caisson-stderr", "caisson-stdout"),
                threads.stream().distinct().map(Thread::getName).sorted().toList());
        assertTrue(threads.stream().noneMatch(Thread::isVirtual));
    }

    @Test
    void whatTheFunctionThrowsEndsTheCommandAndIsTold() throws Exception {
        var thrown = new IllegalStateException("unexpected");
        var builder = overHost().stderr(Stdio.discard()).stdout(Stdio.lines(_ -> {
            throw thrown;
        }));
        var failed = assertThrows(ContainerException.class, () -> builder.run("sh", "-c", "echo x; sleep 1000"));
        assertSame(thrown, failed.getCause());
        assertTrue(failed.getMessage().contains("unexpected"), failed.getMessage());
        // Also where the command is over already.
        assertSame(
                thrown,
                assertThrows(ContainerException.class, () -> builder.run("echo", "x"))
                        .getCause());
        assertSame(
                thrown,
                assertThrows(ContainerException.class, () -> builder.capture("yes"))
                        .getCause());
    }

    @Test
    void theFunctionMayStopOrCloseItsContainer() throws Exception {
        for (boolean closes : new boolean[] {true, false}) {
            var container = new CompletableFuture<Container>();
            var ends = new LinkedBlockingQueue<Object>();
            var builder = overHost().stderr(Stdio.discard()).stdout(Stdio.lines(_ -> {
                try {
                    var own = container.get();
                    if (closes) {
                        own.close();
                        ends.add(own.waitFor());
                    } else {
                        ends.add(own.stop(Duration.ofMillis(10)));
                    }
                } catch (Exception failed) {
                    ends.add(failed);
                }
            }));
            try (var running = builder.start("sh", "-c", "echo ready; exec sleep 1000")) {
                container.complete(running);
                assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.STOPPED), ends.poll(30, TimeUnit.SECONDS));
            }
        }
    }

    @Test
    void theFunctionMayAwaitTheEndOfItsContainer() throws Exception {
        var container = new CompletableFuture<Container>();
        var ends = new LinkedBlockingQueue<Exit>();
        var builder = overHost()
                .stdout(Stdio.lines(_ -> ends.add(container.join().onExit().join())));
        try (var running = builder.start("sh", "-c", "echo ready; exit 3")) {
            container.complete(running);
            assertEquals(new Exit.Exited(3), ends.poll(30, TimeUnit.SECONDS));
            assertEquals(new Exit.Exited(3), running.waitFor());
        }
    }

    @Test
    void closingInterruptsTheFunctionAndGivesItNoMore() throws Exception {
        var entered = new CountDownLatch(1);
        var interrupted = new CountDownLatch(1);
        var lines = new LinkedBlockingQueue<String>();
        var builder = overHost().stderr(Stdio.discard()).stdout(Stdio.lines(line -> {
            lines.add(line);
            entered.countDown();
            try {
                Thread.sleep(Duration.ofMinutes(10));
            } catch (InterruptedException expected) {
                interrupted.countDown();
            }
        }));
        try (var _ = builder.start("yes")) {
            entered.await();
        }
        assertTrue(interrupted.await(30, TimeUnit.SECONDS));
        assertEquals(1, lines.size());
    }

    @Test
    void aTimeoutEndsWhatGivesLines() throws Exception {
        var lines = new LinkedBlockingQueue<String>();
        assertEquals(
                new Exit.Killed(Signal.SIGKILL, Exit.Cause.TIMEOUT),
                overHost()
                        .timeout(Duration.ofMillis(300))
                        .stdout(Stdio.lines(lines::add))
                        .run("sh", "-c", "echo one; printf two; sleep 1000"));
        assertEquals(List.of("one", "two"), List.copyOf(lines));
    }

    @Test
    void linesOfWhatOutlivesABareCommandAreNotWaitedFor() throws Exception {
        var lines = new LinkedBlockingQueue<String>();
        long before = System.nanoTime();
        Container.bare()
                .stdout(Stdio.lines(lines::add))
                .run("/bin/sh", "-c", "sleep 5 & echo done")
                .orThrow();
        assertTrue(System.nanoTime() - before < 4_000_000_000L);
        assertEquals(List.of("done"), List.copyOf(lines));
    }

    @Test
    void aTeeGivesAllToEach(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("log");
        Files.writeString(file, "old\n");
        var lines = new ArrayList<String>();
        var output = overHost()
                .stdout(Stdio.tee(
                        Stdio.appendTo(file), Stdio.tee(Stdio.memory(1 << 20), Stdio.lines(lines::add)), Stdio.ring(5)))
                .stderr(Stdio.tee(Stdio.memory(4)))
                .capture("sh", "-c", "seq 1 1000; echo error >&2");
        assertEquals(numbers(1000), output.text().lines().toList());
        assertEquals(numbers(1000), lines);
        assertEquals("old\n" + String.join("\n", numbers(1000)) + "\n", Files.readString(file));
        assertEquals("erro", output.errorText());
        assertTrue(output.isTruncated());
    }

    @Test
    void aTeeToTheStreamsOfTheJvmWritesToThem() throws Exception {
        var jvm = JavaAs.oneself().run(Teeing.class.getName());
        assertEquals("out\nerr\nkept out kept err", jvm.output());
    }

    static final class Teeing {
        private Teeing() {}

        public static void main(String[] args) throws Exception {
            var both = Stdio.tee(Stdio.inherit(), Stdio.memory(100));
            var output = overHost().stdout(both).stderr(both).capture("sh", "-c", "echo out; sleep 0.3; echo err >&2");
            System.out.println("kept " + output.text() + " kept " + output.errorText());
        }
    }

    @Test
    void aPlaceThatTakesNoMoreEndsTheCommandAndTheOthersHaveWhatCame() throws Exception {
        var lines = new LinkedBlockingQueue<String>();
        var builder = overHost().stdout(Stdio.tee(Stdio.toFile(Path.of("/dev/full")), Stdio.lines(lines::add)));
        var failed = assertThrows(ContainerException.class, () -> builder.run("sh", "-c", "echo x; sleep 1000"));
        assertTrue(failed.getMessage().contains("/dev/full"), failed.getMessage());
        assertTrue(failed.getMessage().contains("ENOSPC"), failed.getMessage());
        assertEquals(List.of("x"), List.copyOf(lines));
    }

    @Test
    void aServiceThatNobodyReadsGoesOnAndItsLastBytesAreThere() throws Exception {
        var builder = overHost().stdout(Stdio.ring(1000)).stderr(Stdio.ring(10));
        var ended = new AtomicReference<Container>();
        try (var container = builder.start("sh", "-c", "seq 1 200000; echo was here >&2; read line; echo end $line")) {
            ended.set(container);
            while (!container.logs().text().endsWith("\n200000\n")
                    || container.logs().errorText().isEmpty()) {
                Thread.sleep(10);
            }
            assertTrue(container.isAlive());
            assertEquals(1000, container.logs().stdout().length);
            assertEquals(" was here\n".substring(1), container.logs().errorText());
            assertEquals(1_288_895 - 1000, container.logs().droppedBytes());
            container.stdin().write("now\n".getBytes(UTF_8));
            container.waitFor().orThrow();
            assertTrue(container.logs().text().endsWith("\n200000\nend now\n"));
            assertEquals(-1, container.stdout().read());
        }
        assertTrue(ended.get().logs().text().endsWith("\n200000\nend now\n"));
    }

    @Test
    void theFirstCharacterOfLogsIsWhole() throws Exception {
        try (var container = overHost().stdout(Stdio.ring(4)).start("printf", "ää€")) {
            container.waitFor().orThrow();
            assertEquals(4, container.logs().stdout().length);
            assertEquals("€", container.logs().text());
        }
    }

    @Test
    void logsOfStreamsThatAreNotKeptAreRefused() throws Exception {
        try (var container = overHost().start("true")) {
            var refused = assertThrows(IllegalStateException.class, container::logs);
            assertTrue(refused.getMessage().contains("Stdio.ring"), refused.getMessage());
        }
    }

    @Test
    void whoWritesMoreThanTheLimitIsKilledWithEverything() throws Exception {
        var limit = Stdio.memory(1000).killBeyond();
        for (var builder : List.of(
                overHost(), overHost().init(), Container.bare(), overHost().pidsMax(10))) {
            var output = builder.stdout(limit).capture("/bin/sh", "-c", "sleep 1000 & yes");
            assertEquals(OVER_LIMIT, output.exit());
            assertEquals(1000, output.stdout().length);
            assertTrue(output.isTruncated());
            assertEquals(
                    OVER_LIMIT,
                    builder.stderr(limit).capture("/bin/sh", "-c", "yes >&2").exit());
        }
        try (var container = overHost().stdout(limit).start("sh", "-c", "yes; sleep 1000")) {
            assertEquals(OVER_LIMIT, container.waitFor());
            assertEquals(1000, container.stdout().readAllBytes().length);
        }
        var tee = Stdio.tee(limit, Stdio.ring(10));
        assertEquals(OVER_LIMIT, overHost().stdout(tee).capture("yes").exit());
    }

    @Test
    void asMuchAsTheLimitIsNotTooMuch() throws Exception {
        var output = overHost()
                .stdout(Stdio.memory(1000).killBeyond())
                .capture("head", "-c", "1000", "/dev/zero")
                .orThrow();
        assertEquals(1000, output.stdout().length);
        assertFalse(output.isTruncated());
    }

    @Test
    void runRefusesWhatNobodyCouldRead() {
        for (var stdio :
                List.of(Stdio.pipe(), Stdio.memory(10), Stdio.ring(10), Stdio.tee(Stdio.inherit(), Stdio.memory(10)))) {
            for (var builder : List.of(overHost().stdout(stdio), overHost().stderr(stdio))) {
                var refused = assertThrows(IllegalStateException.class, () -> builder.run("true"));
                assertTrue(refused.getMessage().contains("call capture, or start"), refused.getMessage());
            }
        }
    }

    /** Programs that open /dev/stdout must own what that is. */
    @Test
    void whateverTakesTheOutputACommandOfAnotherUserMayOpenIt() throws Exception {
        var lines = new ArrayList<String>();
        for (var builder : List.of(overHost(), overHost().newUser())) {
            for (var stdio : List.of(
                    Stdio.memory(100),
                    Stdio.lines(lines::add),
                    Stdio.tee(Stdio.lines(lines::add), Stdio.memory(100)))) {
                builder.user(1000, 1000)
                        .stdout(stdio)
                        .capture("sh", "-c", "echo opened > /dev/stdout")
                        .orThrow();
            }
        }
        assertEquals(Collections.nCopies(4, "opened"), lines);
    }

    @Test
    void aFurtherCommandHasAllOfThemToo() throws Exception {
        var lines = new ArrayList<String>();
        try (var container = overHost().start("sleep", "1000")) {
            container
                    .command("seq", "1", "1000")
                    .stdout(Stdio.lines(lines::add))
                    .run()
                    .orThrow();
            assertEquals(numbers(1000), lines);
            assertEquals(
                    OVER_LIMIT,
                    container
                            .command("yes")
                            .stdout(Stdio.memory(10).killBeyond())
                            .capture()
                            .exit());
            try (var process = container
                    .command("sh", "-c", "seq 1 1000; sleep 1000")
                    .stdout(Stdio.ring(9))
                    .start()) {
                while (!process.logs().text().equals("999\n1000\n")) {
                    Thread.sleep(10);
                }
            }
            assertTrue(container.isAlive());
        }
    }

    @Test
    void aLaunchThatFailsLeavesNothingOfItsStreams() {
        var lines = Stdio.tee(Stdio.lines(_ -> {}), Stdio.memory(10), Stdio.inherit());
        for (int i = 0; i < 20; i++) {
            assertThrows(
                    IOException.class,
                    () -> overHost().stdout(lines).stderr(lines).capture("/no/such/program"));
            assertThrows(
                    IOException.class,
                    () -> overHost()
                            .stdout(Stdio.tee(lines, Stdio.toFile(Path.of("/no/such/directory/file"))))
                            .capture("true"));
        }
    }
}
