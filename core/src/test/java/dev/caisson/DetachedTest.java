// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Signal;
import dev.caisson.linux.sys.Processes;
import dev.caisson.spec.Restart;
import dev.caisson.spec.Stdio;
import dev.caisson.supervise.StateDirectory;
import dev.caisson.testkit.NeedsRoot;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Containers that outlive who started them, as this JVM, which starts them, sees them. */
@NeedsRoot
@Timeout(60)
class DetachedTest {
    @TempDir
    Path directory;

    @BeforeEach
    void keepApart() {
        System.setProperty(StateDirectory.PROPERTY, directory.resolve("state").toString());
    }

    @AfterEach
    void endAll() throws Exception {
        for (var entry : Containers.list()) {
            try (var container = Container.attach(entry.name())) {
                if (container.isAlive()) {
                    container.stop(Duration.ZERO);
                }
            }
            Containers.remove(entry.name());
        }
        try (var left = Files.list(directory.resolve("state"))) {
            assertFalse(left.findAny().isPresent());
        }
        System.clearProperty(StateDirectory.PROPERTY);
    }

    private static ContainerBuilder named(String name) {
        return overHost().name(name).detached();
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Test
    void oneThatIsStartedTellsHowItEndedAndWhatItWrote() throws Exception {
        try (var container = named("short").start("/bin/sh", "-c", "echo out; echo error >&2; exit 3")) {
            assertEquals("out\n", text(container.stdout().readAllBytes()));
            assertEquals("error\n", text(container.stderr().readAllBytes()));
            assertEquals(new Exit.Exited(3), container.waitFor());
        }
        try (var again = Container.attach("short")) {
            assertEquals(new Exit.Exited(3), again.waitFor());
            assertFalse(again.isAlive());
        }
    }

    @Test
    void closingLeavesItAloneAndAttachingFindsIt() throws Exception {
        long pid;
        try (var container = named("service").start("/bin/sleep", "600")) {
            pid = container.pid();
            assertTrue(container.isAlive());
        }
        try (var again = Container.attach("service")) {
            assertEquals(pid, again.pid());
            assertTrue(again.isAlive());
            assertTrue(again.waitFor(Duration.ofMillis(50)).isEmpty());
            assertTrue(again.signal(Signal.SIGKILL));
            assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.SIGNAL), again.waitFor());
            assertEquals(
                    new Exit.Killed(Signal.SIGKILL, Exit.Cause.SIGNAL),
                    again.onExit().get());
            assertTrue(again.resources().isPresent());
        }
    }

    @Test
    void aFurtherCommandHasATerminalOfTheContainersOwn() throws Exception {
        try (var container = named("service").start("/bin/sleep", "600");
                var again = Container.attach("service")) {
            TerminalScenes.isControlling(TerminalScenes.Starter.in(container), true);
            TerminalScenes.isControlling(TerminalScenes.Starter.in(again), true);
            var refused = assertThrows(
                    IllegalStateException.class,
                    () -> named("screen").terminal(80, 24).start("sh"));
            assertTrue(refused.getMessage().contains("(Terminal[columns=80"), refused.getMessage());
        }
    }

    @Test
    void stoppingSaysSoAndKillsAfterTheGracePeriod() throws Exception {
        try (var deaf = named("deaf").start("/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done")) {
            assertEquals('r', deaf.stdout().read());
            assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.STOPPED), deaf.stop(Duration.ofMillis(100)));
        }
        try (var polite = named("polite")
                .init()
                .start("/bin/sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done")) {
            assertEquals('r', polite.stdout().read());
            assertEquals(new Exit.Exited(7), polite.stop(Duration.ofSeconds(20)));
        }
    }

    @Test
    void theListSaysWhatEachDoes() throws Exception {
        try (var _ = named("b-runs")
                        .limits(dev.caisson.cgroups.spec.Limits.none())
                        .start("/bin/sleep", "600");
                var ended = named("a-ended").start("/bin/false")) {
            assertEquals(new Exit.Exited(1), ended.waitFor());
            var list = Containers.list();
            assertEquals(
                    List.of("a-ended", "b-runs"),
                    list.stream().map(Containers.Entry::name).toList());
            assertEquals(
                    new Containers.State.Ended(new Exit.Exited(1)), list.get(0).state());
            assertEquals(new Containers.State.Running(), list.get(1).state());
            assertEquals(List.of("/bin/sleep", "600"), list.get(1).command());
            assertTrue(list.get(0).endedAt().isPresent());
            assertTrue(list.get(1).endedAt().isEmpty());
            assertTrue(list.get(0).pid().isEmpty());
            assertTrue(list.get(1).pid().isPresent());
            assertTrue(list.get(1).startedAt().isPresent());
            assertEquals(0, list.get(1).restarts());
            try (var container = Container.attach("b-runs")) {
                container.freeze();
                assertEquals(
                        new Containers.State.Frozen(),
                        Containers.find("b-runs").orElseThrow().state());
                container.thaw();
                assertEquals(
                        new Containers.State.Running(),
                        Containers.find("b-runs").orElseThrow().state());
            }
            assertThrows(IllegalStateException.class, () -> Containers.remove("b-runs"));
            assertTrue(Containers.remove("a-ended"));
            assertFalse(Containers.remove("a-ended"));
            assertTrue(Containers.find("a-ended").isEmpty());
        }
    }

    @Test
    void aNameIsGivenOnceAndMustBeOne() throws Exception {
        for (String bad : List.of("", ".", "..", "a/b", ".hidden", "-x", "a b", "x".repeat(129))) {
            assertThrows(IllegalArgumentException.class, () -> overHost().name(bad), bad);
            assertThrows(IllegalArgumentException.class, () -> Container.attach(bad), bad);
            assertThrows(IllegalArgumentException.class, () -> Containers.remove(bad), bad);
        }
        assertThrows(NoSuchFileException.class, () -> Container.attach("nobody"));
        try (var _ = named("taken").start("/bin/sleep", "600")) {
            var refused =
                    assertThrows(ContainerException.class, () -> named("taken").start("/bin/true"));
            assertInstanceOf(FileAlreadyExistsException.class, refused.getCause());
            assertTrue(refused.getMessage().contains("\"taken\""), refused.getMessage());
            assertEquals(1, Containers.list().size());
        }
    }

    @Test
    void whatFailsToStartLeavesNothing() throws Exception {
        var refused = assertThrows(
                ContainerException.class, () -> named("absent").pidsMax(20).start("/no/such/program"));
        assertTrue(refused.getMessage().contains("/no/such/program"), refused.getMessage());
        assertTrue(Containers.list().isEmpty());
        assertFalse(Files.exists(directory.resolve("state/absent")));
    }

    @Test
    void itsFilesLimitsAndUsageCanBeReached() throws Exception {
        try (var _ = named("files").memoryMax(64, MB).start("/bin/sleep", "600")) {
            try (var attached = Container.attach("files")) {
                Files.writeString(attached.fs().getPath("/note"), "hello");
                assertEquals("hello", Files.readString(attached.fs().getPath("/proc/../note")));
                assertTrue(attached.usage().memoryBytes().isPresent());
                attached.update(dev.caisson.cgroups.spec.Limits.none().memoryMax(32, MB));
            }
            assertFalse(Files.exists(Path.of("/note")));
        }
    }

    @Test
    void whoOutgrowsItsMemoryIsTakenForThat() throws Exception {
        try (var container = named("glutton")
                .memoryMax(16, MB)
                .start("/bin/sh", "-c", "exec tail -c 200m /dev/zero | tail -c 200m > /dev/null; kill -9 $$")) {
            var exit = container.waitFor();
            assertTrue(container.outOfMemory().isPresent(), exit.toString());
        }
    }

    @Test
    void atItsTimeoutItIsKilledByItsSupervisor() throws Exception {
        try (var container = named("slow").timeout(Duration.ofMillis(300)).start("/bin/sleep", "600")) {
            assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.TIMEOUT), container.waitFor());
        }
    }

    @Test
    void inputComesFromWhoeverIsAttached() throws Exception {
        try (var container = named("cat").stdin(Stdio.pipe()).start("/bin/cat");
                var other = Container.attach("cat")) {
            container.stdin().write("one\n".getBytes(StandardCharsets.UTF_8));
            var line = new byte[4];
            assertEquals(4, container.stdout().readNBytes(line, 0, 4));
            other.stdin().write("two\n".getBytes(StandardCharsets.UTF_8));
            assertEquals(4, container.stdout().readNBytes(line, 0, 4));
            assertEquals("two\n", text(line));
            other.stdin().close();
            container.stdin().close();
            assertEquals(new Exit.Exited(0), container.waitFor());
        }
    }

    @Test
    void itIsStartedAgainWithItsFilesUntilItSucceeds() throws Exception {
        var script = "n=$(cat /count 2>/dev/null || echo 0); n=$((n+1)); echo $n > /count; echo life $n; [ $n = 3 ]";
        try (var container = named("again").restart(Restart.onFailure(0)).start("/bin/sh", "-c", script)) {
            assertEquals("life 1\nlife 2\nlife 3\n", text(container.stdout().readAllBytes()));
            assertEquals(new Exit.Exited(0), container.waitFor());
        }
        var entry = Containers.find("again").orElseThrow();
        assertEquals(2, entry.restarts());
        assertFalse(Files.exists(Path.of("/count")));
    }

    @Test
    void onFailureIsTriedAsOftenAsItSaysAndStopEndsWhatAlwaysRestarts() throws Exception {
        try (var container = named("twice").restart(Restart.onFailure(2)).start("/bin/sh", "-c", "echo x; exit 5")) {
            assertEquals(new Exit.Exited(5), container.waitFor());
            assertEquals("x\nx\nx\n", text(container.stdout().readAllBytes()));
        }
        try (var container = named("always").restart(Restart.always()).start("/bin/sh", "-c", "echo x; sleep 0.05")) {
            var out = container.stdout();
            out.readNBytes(6);
            assertTrue(container.isAlive());
            var _ = container.stop(Duration.ofSeconds(5));
            assertFalse(container.isAlive());
        }
        assertInstanceOf(
                Containers.State.Ended.class,
                Containers.find("always").orElseThrow().state());
    }

    @Test
    void theSupervisorTakesLessThan64KilobytesAndHasOneThread() throws Exception {
        try (var container = named("small")
                .stdin(Stdio.pipe())
                .limits(dev.caisson.cgroups.spec.Limits.none())
                .start(
                        "/bin/sh",
                        "-c",
                        "i=0; while [ $i -lt 2000 ]; do echo line $i; echo e >&2; i=$((i+1)); done; exec sleep 600")) {
            var out = container.stdout();
            for (int lines = 0; lines < 2000; ) {
                if (out.read() == '\n') {
                    lines++;
                }
            }
            int supervisor = supervisor("small");
            assertEquals(
                    "caisson-shim",
                    Files.readString(Path.of("/proc/" + supervisor + "/comm")).strip());
            try (var threads = Files.list(Path.of("/proc/" + supervisor + "/task"))) {
                assertEquals(1, threads.count());
            }
            long resident = kilobytes(supervisor, "Rss:");
            System.out.println("supervisor: Rss " + resident + " kB, Pss " + kilobytes(supervisor, "Pss:") + " kB");
            assertTrue(resident < 64, resident + " kB");
        }
    }

    private int supervisor(String name) throws Exception {
        return StateDirectory.status(directory.resolve("state").resolve(name))
                .orElseThrow()
                .supervisor();
    }

    private static long kilobytes(int pid, String field) throws Exception {
        return Files.readAllLines(Path.of("/proc/" + pid + "/smaps_rollup")).stream()
                .filter(line -> line.startsWith(field))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void whoseSupervisorIsKilledIsLostAndNothingHangs() throws Exception {
        try (var container = named("lost").start("/bin/sleep", "600")) {
            try (var supervisor = Processes.open(supervisor("lost"));
                    var command = Processes.open((int) container.pid())) {
                var _ = Processes.signal(supervisor, Signal.SIGKILL);
                var lost = assertThrows(ContainerException.class, container::waitFor);
                assertTrue(lost.getMessage().contains("lost"), lost.getMessage());
                assertTrue(Processes.awaitEnd(command, 10_000_000_000L));
            }
            assertFalse(container.isAlive());
        }
        assertEquals(
                new Containers.State.Lost(),
                Containers.find("lost").orElseThrow().state());
    }

    @Test
    void aFurtherCommandIsAsConfinedAsThoseOfTheJvmThatStartedIt() throws Exception {
        var confinement =
                "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status; umask; pwd; echo $KEY; id -u; hostname";
        var builder = overHost()
                .hostname("inside")
                .environment("KEY", "two words")
                .umask(027)
                .workingDirectory("/etc")
                .user("daemon")
                .memoryMax(64, MB);
        String expected = Samples.sh(builder, confinement);
        try (var _ = builder.name("confined").detached().start("/bin/sleep", "600");
                var attached = Container.attach("confined")) {
            assertEquals(
                    expected,
                    attached.command("/bin/sh", "-c", confinement)
                            .capture()
                            .orThrow()
                            .text());
            assertEquals(
                    "1 sleep",
                    attached.command("/bin/sh", "-c", "echo 1 $(cat /proc/1/comm)")
                            .capture()
                            .orThrow()
                            .text()
                            .strip());
        }
    }
}
