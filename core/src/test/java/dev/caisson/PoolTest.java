// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.spec.Limits;
import dev.caisson.linux.Signal;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Pools of prepared containers. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class PoolTest {
    private static final int SOMEBODY = 64325;
    private static final int MOST_KILOBYTES = 100;

    @TempDir
    Path directory;

    private static void await(BooleanSupplier condition) throws InterruptedException {
        for (int i = 0; i < 1000 && !condition.getAsBoolean(); i++) {
            Thread.sleep(10);
        }
        assertTrue(condition.getAsBoolean());
    }

    private static void awaitFull(Pool pool, int size) throws InterruptedException {
        await(() -> pool.waiting() == size);
    }

    /** {@return the processes that wait} */
    private static List<ProcessHandle> waiting() {
        return ProcessHandle.current()
                .children()
                .filter(child -> {
                    try {
                        return Files.readString(Path.of("/proc/" + child.pid() + "/comm"))
                                .strip()
                                .equals("caisson-launch");
                    } catch (IOException ended) {
                        return false;
                    }
                })
                .toList();
    }

    @Test
    void commandsDifferInWhatConcernsThemAlone() throws Exception {
        try (var pool = overHost().environment("A", "of all").pool(2)) {
            awaitFull(pool, 2);
            assertTrue(pool.run("/bin/true").isSuccess());
            assertEquals(new Exit.Exited(3), pool.run("/bin/sh", "-c", "exit 3"));
            assertEquals(
                    "of all", pool.capture("/bin/sh", "-c", "echo $A").orThrow().text());
            var said = pool.command("/bin/sh", "-c", "cat; echo $A $B; pwd")
                    .stdin(Stdio.bytes("in,".getBytes(StandardCharsets.UTF_8)))
                    .environment("A", "its own")
                    .environment("B", "more")
                    .workingDirectory("/etc")
                    .capture()
                    .orThrow();
            assertEquals("in,its own more\n/etc", said.text());
            assertEquals(
                    new Exit.Killed(Signal.SIGKILL, Exit.Cause.TIMEOUT),
                    pool.command("/bin/sleep", "100")
                            .timeout(Duration.ofMillis(100))
                            .run());
            try (var container = pool.start("/bin/cat")) {
                container.stdin().write("through".getBytes(StandardCharsets.UTF_8));
                container.stdin().close();
                assertEquals("through", new String(container.stdout().readAllBytes(), StandardCharsets.UTF_8));
                assertTrue(Files.exists(container.fs().getPath("/etc/passwd")));
            }
        }
    }

    @Test
    void aCommandThatCannotBeStartedHarmsNoOther() throws Exception {
        try (var pool = overHost().pidsMax(20).pool(2)) {
            for (int i = 0; i < 5; i++) {
                var refused = assertThrows(ContainerException.class, () -> pool.run("/no/such/program"));
                assertTrue(refused.getMessage().contains("ENOENT"), refused.getMessage());
                assertTrue(pool.run("/bin/true").isSuccess());
            }
        }
    }

    /** What a command leaves wherever it may write, and what it finds of others. */
    private static final String TRACES = "ls -d /tmp/trace /var/trace /dev/shm/trace /run/trace 2>/dev/null;"
            + " hostname | grep trace; echo /proc/[0-9]*; echo $$; ipcs -q | grep -c 0x;"
            + " for d in /tmp /var /dev/shm /run; do echo $1 > $d/trace; done; hostname trace-$1 2>/dev/null;"
            + " ipcmk -Q >/dev/null; sleep 0.01 &";

    @Test
    void noCommandSeesTracesOfAnother() throws Exception {
        try (var pool = Container.sandbox().lower(Path.of("/")).pool(3)) {
            var seen = new HashSet<String>();
            for (int i = 0; i < 25; i++) {
                seen.add(pool.capture("/bin/sh", "-c", TRACES, "sh", Integer.toString(i))
                        .orThrow()
                        .text());
            }
            assertEquals(1, seen.size(), seen.toString());
            assertFalse(seen.iterator().next().contains("trace"), seen.toString());
        }
    }

    @Test
    void eightThreadsShareAPoolOfFour() throws Exception {
        var pids = new ConcurrentLinkedQueue<Long>();
        try (var pool = overHost().pidsMax(20).pool(4);
                var threads = Executors.newFixedThreadPool(8)) {
            var all = new ArrayList<Future<?>>();
            for (int i = 0; i < 8; i++) {
                int number = i;
                all.add(threads.submit(() -> {
                    for (int k = 0; k < 20; k++) {
                        String text = number + "-" + k;
                        assertEquals(
                                text,
                                pool.capture(
                                                "/bin/sh",
                                                "-c",
                                                "test -e /tmp/mine && exit 9; echo " + text + " | tee /tmp/mine")
                                        .orThrow()
                                        .text());
                        try (var container = pool.start("/bin/true")) {
                            pids.add(container.pid());
                        }
                    }
                    return null;
                }));
            }
            for (var future : all) {
                future.get();
            }
            awaitFull(pool, 4);
        }
        assertEquals(160, new HashSet<>(pids).size());
    }

    @Test
    void whatIsKilledWhileItWaitsIsReplaced() throws Exception {
        try (var pool = overHost().pool(3)) {
            awaitFull(pool, 3);
            var first = waiting();
            assertEquals(3, first.size());
            first.forEach(ProcessHandle::destroyForcibly);
            await(() -> first.stream().noneMatch(ProcessHandle::isAlive)
                    && pool.waiting() == 3
                    && waiting().size() == 3);
            for (int i = 0; i < 4; i++) {
                assertTrue(pool.run("/bin/true").isSuccess());
            }
        }
    }

    @Test
    void aFailureToPrepareIsToldOnceAndTriedAgain() throws Exception {
        Path volume = Files.createDirectory(directory.resolve("volume"));
        Path away = directory.resolve("away");
        try (var pool = overHost().bind(volume, "/mnt").pool(1)) {
            awaitFull(pool, 1);
            Files.move(volume, away);
            assertTrue(pool.run("/bin/true").isSuccess()); // The one that was ready.
            Thread.sleep(100);
            var refused = assertThrows(ContainerException.class, () -> pool.run("/bin/true"));
            assertTrue(refused.getMessage().contains(volume.toString()), refused.getMessage());
            Files.move(away, volume);
            awaitFull(pool, 1);
            assertTrue(pool.run("/bin/true").isSuccess());
        }
    }

    @Test
    void aPoolThatNobodyUsesHoldsNothing() throws Exception {
        try (var pool = overHost().pool(2, Duration.ofMillis(300))) {
            awaitFull(pool, 2);
            await(() -> pool.waiting() == 0 && waiting().isEmpty());
            assertTrue(pool.run("/bin/true").isSuccess());
            awaitFull(pool, 2);
        }
    }

    @Test
    void commandsThatWereStartedOutliveTheirPool() throws Exception {
        Container container;
        try (var pool = overHost().pool(2)) {
            container = pool.start("/bin/cat");
        }
        try (container) {
            assertTrue(container.isAlive());
            container.stdin().close();
            assertTrue(container.waitFor().isSuccess());
        }
    }

    @Test
    void aClosedPoolTakesNoCommand() throws Exception {
        var pool = overHost().pool(1);
        pool.close();
        pool.close();
        assertThrows(IllegalStateException.class, () -> pool.run("/bin/true"));
    }

    @Test
    void aRootThatStaysAndASenselessSizeAreRefused() {
        var upper = overHost().upper(directory.resolve("upper"));
        assertThrows(IllegalStateException.class, () -> upper.pool(1));
        var writable = Container.builder().rootfs(directory);
        assertThrows(IllegalStateException.class, () -> writable.pool(1));
        assertThrows(IllegalArgumentException.class, () -> overHost().pool(0));
        assertThrows(IllegalArgumentException.class, () -> overHost().pool(1001));
        assertThrows(IllegalArgumentException.class, () -> overHost().pool(1, Duration.ZERO));
    }

    @Test
    void onesThatWaitHoldLittleMemory() throws Exception {
        try (var pool = Container.sandbox().lower(Path.of("/")).pool(4)) {
            awaitFull(pool, 4);
            for (var process : waiting()) {
                long kilobytes = Files.readAllLines(Path.of("/proc/" + process.pid() + "/smaps_rollup")).stream()
                        .filter(line -> line.startsWith("Pss:"))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                        .sum();
                assertTrue(kilobytes > 0 && kilobytes < MOST_KILOBYTES, kilobytes + " kB");
            }
        }
    }

    /** In a JVM that is killed with a full pool, or of an ordinary user. */
    static final class Pooling {
        private Pooling() {}

        public static void main(String[] args) throws Exception {
            var builder = args.length > 0
                    ? overHost().limits(Limits.none())
                    : Container.sandbox().lower(Path.of("/"));
            var pool = builder.pool(4);
            awaitFull(pool, 4);
            if (args.length > 0) {
                for (var process : waiting()) {
                    System.out.println(process.pid());
                    Files.readAllLines(Path.of("/proc/" + process.pid() + "/cgroup")).stream()
                            .filter(line -> line.contains("caisson"))
                            .forEach(System.out::println);
                }
                System.out.flush();
                Runtime.getRuntime().halt(9);
            }
            System.out.println(
                    pool.capture("/bin/echo", "unprivileged").orThrow().text());
            pool.close();
            assertEquals(List.of(), waiting());
        }
    }

    @Test
    void anOrdinaryUserHasPoolsToo() throws Exception {
        var jvm = JavaAs.user(SOMEBODY, SOMEBODY, directory).run(Pooling.class.getName());
        assertEquals("unprivileged", jvm.output());
    }

    @Test
    void aKilledJvmLeavesNothingOfAFullPool() throws Exception {
        var jvm = JavaAs.oneself().run(Pooling.class.getName(), "halt");
        assertEquals(9, jvm.code(), jvm.output());
        var pids = jvm.output().lines().filter(line -> line.matches("\\d+")).toList();
        var cgroups = jvm.output()
                .lines()
                .filter(line -> line.contains(":"))
                .map(line -> line.substring(line.lastIndexOf(':') + 1))
                .distinct()
                .toList();
        assertEquals(4, pids.size(), jvm.output());
        assertFalse(cgroups.isEmpty(), jvm.output());
        await(() -> pids.stream().noneMatch(pid -> Files.exists(Path.of("/proc/" + pid))));
        await(() -> cgroups.stream().noneMatch(PoolTest::isThere));
    }

    private static boolean isThere(String cgroup) {
        try (var hierarchies = Files.list(Path.of("/sys/fs/cgroup"))) {
            return Files.exists(Path.of("/sys/fs/cgroup" + cgroup))
                    || hierarchies.anyMatch(hierarchy -> Files.exists(Path.of(hierarchy + cgroup)));
        } catch (IOException impossible) {
            throw new AssertionError(impossible);
        }
    }
}
