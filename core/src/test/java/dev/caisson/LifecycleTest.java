// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Signal;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@NeedsRoot
@ExtendWith(NoLeaks.class)
class LifecycleTest {
    @Test
    void streamsAreConnectedAndEnd() throws Exception {
        try (var container = overHost().start("cat");
                var out = new BufferedReader(new InputStreamReader(container.stdout(), StandardCharsets.UTF_8))) {
            container.stdin().write("one\ntwo\n".getBytes(StandardCharsets.UTF_8));
            assertEquals("one", out.readLine());
            assertEquals("two", out.readLine());
            container.stdin().close();
            assertEquals(null, out.readLine());
            assertEquals(new Exit.Exited(0), container.waitFor());
        }
    }

    @Test
    void muchOutputOnBothStreamsDoesNotBlock() throws Exception {
        var output = overHost().capture("sh", "-c", "head -c 10000000 /dev/zero >&2; head -c 10000000 /dev/zero");
        assertEquals(10_000_000, output.stdout().length);
        assertEquals(10_000_000, output.stderr().length);
        assertFalse(output.isTruncated());
    }

    @Test
    void outputBeyondTheCapIsDropped() throws Exception {
        var output = overHost()
                .stdout(Stdio.memory(1000))
                .capture("head", "-c", "10000000", "/dev/zero")
                .orThrow();
        assertEquals(1000, output.stdout().length);
        assertTrue(output.isTruncated());
    }

    @Test
    void inputComesFromBytesOfAnySize() throws Exception {
        byte[] input = new byte[3_000_000];
        assertEquals(
                "3000000",
                overHost()
                        .stdin(Stdio.bytes(input))
                        .capture("wc", "-c")
                        .orThrow()
                        .text());
    }

    @Test
    void aTimeoutKillsEverything() throws Exception {
        assertEquals(
                new Exit.Killed(Signal.SIGKILL, Exit.Cause.TIMEOUT),
                overHost().timeout(Duration.ofMillis(200)).run("sh", "-c", "sleep 100 & sleep 100"));
    }

    @Test
    void waitingForAWhileTellsThatItStillRuns() throws Exception {
        try (var container = overHost().start("sleep", "100")) {
            assertEquals(Optional.empty(), container.waitFor(Duration.ofMillis(50)));
            assertTrue(container.isAlive());
        }
    }

    @Test
    void stoppingIsGentleFirst() throws Exception {
        try (var container =
                overHost().init().start("sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done")) {
            assertEquals('r', container.stdout().read());
            assertEquals(new Exit.Exited(9), container.stop(Duration.ofSeconds(20)));
        }
    }

    @Test
    void stoppingKillsWhatDoesNotListen() throws Exception {
        try (var container = overHost().start("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")) {
            assertEquals('r', container.stdout().read());
            assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.STOPPED), container.stop(Duration.ofMillis(100)));
        }
    }

    @Test
    void closingKillsTheWholeTree() throws Exception {
        Path marker = Path.of("/proc");
        // A number that no other test on this machine sleeps.
        String seconds = Long.toString(1_000_000 + System.nanoTime() % 1_000_000);
        try (var container = overHost().start("sh", "-c", "setsid sh -c 'sleep " + seconds + "' & echo ready; wait")) {
            assertEquals('r', container.stdout().read());
        }
        try (var processes = Files.list(marker)) {
            assertTrue(processes
                    .filter(p -> p.getFileName().toString().matches("\\d+"))
                    .noneMatch(p -> {
                        try {
                            return Files.readString(p.resolve("cmdline")).contains("sleep\000" + seconds);
                        } catch (java.io.IOException gone) {
                            return false;
                        }
                    }));
        }
    }

    @Test
    void anInterruptLeavesTheContainerRunning() throws Exception {
        try (var container = overHost().start("sleep", "100")) {
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, container::waitFor);
            assertTrue(container.isAlive());
        }
    }

    @Test
    void aReaderCanBeInterrupted() throws Exception {
        try (var container = overHost().start("sleep", "100")) {
            var thrown = new AtomicReference<Throwable>();
            var reader = Thread.ofVirtual().start(() -> {
                try {
                    thrown.set(new AssertionError(container.stdout().read()));
                } catch (Exception expected) {
                    thrown.set(expected);
                }
            });
            Thread.sleep(100);
            reader.interrupt();
            reader.join();
            assertEquals(InterruptedIOException.class, thrown.get().getClass());
        }
    }

    @Test
    void theEndIsAFutureOnAThreadOfItsOwn() throws Exception {
        try (var container = overHost().start("sh", "-c", "read line; exit 4")) {
            var thread =
                    container.onExit().thenApply(_ -> Thread.currentThread().getName());
            container.stdin().close();
            assertEquals(new Exit.Exited(4), container.onExit().get(20, TimeUnit.SECONDS));
            assertEquals("caisson-exit-" + container.pid(), thread.get(20, TimeUnit.SECONDS));
            assertTrue(container.resources().isPresent());
        }
    }

    @Test
    void signalsReachTheCommandThroughTheInit() throws Exception {
        try (var container =
                overHost().init().start("sh", "-c", "trap 'exit 5' USR1; echo ready; while :; do sleep 0.05; done")) {
            assertEquals('r', container.stdout().read());
            assertTrue(container.signal(Signal.SIGUSR1));
            assertEquals(new Exit.Exited(5), container.waitFor());
            assertFalse(container.signal(Signal.SIGUSR1));
        }
    }

    @Test
    void theInitReapsOrphansAndTellsHowTheCommandEnded() throws Exception {
        var output = overHost()
                .init()
                .capture(
                        "sh",
                        "-c",
                        "(setsid sh -c 'exit 0' &); sleep 0.3; cat /proc/[0-9]*/stat | awk '$3 == \"Z\"' | wc -l; kill -KILL $$");
        assertEquals("0", output.text());
        assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.SIGNAL), output.exit());
    }

    @Test
    void outputOfProcessesThatOutliveABareCommandIsNotWaitedFor() throws Exception {
        long before = System.nanoTime();
        assertEquals(
                "done",
                Container.bare()
                        .capture("/bin/sh", "-c", "sleep 5 & echo done; kill -9 $! ")
                        .orThrow()
                        .text());
        assertTrue(System.nanoTime() - before < 4_000_000_000L);
    }

    @Test
    void manyContainersLiveAtOnceWithoutAThreadEach() throws Exception {
        var all = new ArrayList<Container>();
        try {
            int threads = Thread.activeCount();
            for (int i = 0; i < 100; i++) {
                all.add(Container.bare()
                        .newPid()
                        .stdin(Stdio.discard())
                        .stdout(Stdio.discard())
                        .stderr(Stdio.discard())
                        .start("/bin/sleep", "100"));
            }
            assertTrue(Thread.activeCount() <= threads + 2);
        } finally {
            for (var container : all) {
                container.close();
            }
        }
    }
}
