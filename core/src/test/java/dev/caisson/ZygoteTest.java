// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.ByteUnit;
import dev.caisson.linux.Signal;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Native;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No container outlives its JVM. */
class ZygoteTest {
    private static final int SOMEBODY = 64321;

    @TempDir
    Path directory;

    /** Starts containers of several kinds, says their PIDs, and ends as it is told. */
    static final class Jvm {
        private Jvm() {}

        public static void main(String[] args) throws Exception {
            var running = new ArrayList<Container>();
            for (var builder : List.of(
                    Container.bare(),
                    Container.builder().lower(Path.of("/")),
                    Container.sandbox().lower(Path.of("/")).init())) {
                // One that has ended leaves its place to the next.
                var _ = builder.start("/bin/true").waitFor();
                running.add(builder.start("/bin/sh", "-c", "trap '' HUP TERM; while :; do sleep 1000; done"));
            }
            if (args[0].equals("zygote killed")) {
                var old = zygote().orElseThrow();
                assertTrue(old.destroyForcibly());
                while (name(old.pid()).equals("caisson-zygote") && !isZombie(old.pid())) {
                    Thread.sleep(1);
                }
                running.add(Container.bare().start("/bin/sleep", "1000"));
            }
            var pids = new StringBuilder();
            running.forEach(c -> pids.append(c.pid()).append(' '));
            zygote().ifPresent(z -> pids.append(z.pid()));
            System.out.println(pids);
            System.out.flush();
            if (args[0].equals("exit")) {
                System.exit(0);
            }
            var _ = Container.bare()
                    .run(
                            // The shell's own: the program is in no package that every machine has.
                            "/bin/sh",
                            "-c",
                            "kill -9 " + ProcessHandle.current().pid());
        }

        private static Optional<ProcessHandle> zygote() {
            return ProcessHandle.current()
                    .children()
                    .filter(child -> name(child.pid()).equals("caisson-zygote"))
                    .findFirst();
        }
    }

    /** Launches without end on some threads, so that there are launches under way whenever it is killed. */
    static final class Launching {
        private Launching() {}

        public static void main(String[] args) throws Exception {
            var builders = new ArrayList<>(List.of(
                    Container.builder().lower(Path.of("/")),
                    Container.sandbox().lower(Path.of("/")).init(),
                    Container.builder().lower(Path.of("/")).newUser()));
            if (args[2].equals("alone")) {
                // This one is cloned from the JVM itself: the zygote is all that watches over it.
                builders.add(Container.bare().newPid());
            }
            for (var builder : builders) {
                Thread.ofPlatform().start(() -> {
                    try {
                        for (int i = 0; i < 50; i++) {
                            var _ = builder.stdout(Stdio.discard()).start("/bin/sleep", args[0]);
                        }
                    } catch (IOException refused) {
                        throw new UncheckedIOException(refused);
                    }
                });
            }
            System.out.println("launching");
            Thread.sleep(Long.parseLong(args[1]));
            if (args[2].equals("zygote too")) {
                // Both at once: the zygote has no time to kill anybody.
                zygotes().forEach(ProcessHandle::destroyForcibly);
            }
            Runtime.getRuntime().halt(137);
        }
    }

    private static List<ProcessHandle> zygotes() {
        return ProcessHandle.current()
                .children()
                .filter(child -> isZygote(child.pid()))
                .toList();
    }

    /** A child bears the zygote's name until it runs for the first time, but leads no session. */
    private static boolean isZygote(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return stat.contains("(caisson-zygote)") && fields[3].equals(Long.toString(pid)) && !fields[0].equals("Z");
        } catch (IOException ended) {
            return false;
        }
    }

    /** {@return the processes that have an argument} */
    private static List<Long> running(String argument) {
        return ProcessHandle.allProcesses()
                .map(ProcessHandle::pid)
                .filter(pid -> arguments(pid).contains(argument) && !isZombie(pid))
                .toList();
    }

    private static List<String> arguments(long pid) {
        try {
            return List.of(
                    Files.readString(Path.of("/proc/" + pid + "/cmdline")).split("\0"));
        } catch (IOException ended) {
            return List.of();
        }
    }

    private static void assertNoneRuns(String argument) throws InterruptedException {
        for (int i = 0; i < 500 && !running(argument).isEmpty(); i++) {
            Thread.sleep(10);
        }
        assertEquals(List.of(), running(argument));
    }

    @NeedsRoot
    @ParameterizedTest
    @ValueSource(strings = {"alone", "zygote too"})
    void aJvmKilledWhileItLaunchesLeavesNothing(String whom) throws Exception {
        for (int i = 0; i < 5; i++) {
            String argument = "1000." + ProcessHandle.current().pid() + i;
            var jvm = JavaAs.oneself().run(Launching.class.getName(), argument, Integer.toString(40 + 37 * i), whom);
            assertEquals(137, jvm.code(), jvm.output());
            assertNoneRuns(argument);
        }
    }

    /** Has a container with limits, and ends as it is told. */
    static final class Limited {
        private Limited() {}

        public static void main(String[] args) throws Exception {
            var builder = Container.builder().lower(Path.of("/")).memoryMax(64, ByteUnit.MB);
            var _ = builder.start("/bin/true").waitFor();
            var container = builder.start("/bin/sleep", "1000");
            try (var other = builder.init().start("/bin/sleep", "1000")) {
                assertTrue(other.isAlive());
            }
            System.out.println(ProcessHandle.current().pid() + " "
                    + cgroups(ProcessHandle.current().pid()).size() + " " + container.isAlive());
            if (args[0].equals("killed")) {
                Runtime.getRuntime().halt(137);
            }
        }
    }

    /** {@return the cgroups of a JVM's containers} */
    private static List<Path> cgroups(long jvm) throws IOException {
        var all = new ArrayList<Path>();
        for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
            if (line.contains(" - cgroup")) {
                try (Stream<Path> list = Files.walk(Path.of(line.split(" ")[4]), 3)) {
                    list.filter(p -> p.getFileName().toString().startsWith("caisson-" + jvm + "-"))
                            .forEach(all::add);
                } catch (UncheckedIOException changing) {
                    // Other cgroups come and go.
                }
            }
        }
        return all;
    }

    @NeedsRoot
    @ParameterizedTest
    @ValueSource(strings = {"killed", "ended"})
    void noCgroupOutlivesTheJvm(String how) throws Exception {
        var jvm = JavaAs.oneself().run(Limited.class.getName(), how);
        String[] said = jvm.output().split(" ");
        assertEquals("true", said[2], jvm.output());
        assertTrue(Integer.parseInt(said[1]) > 0, jvm.output());
        long pid = Long.parseLong(said[0]);
        for (int i = 0; i < 500 && !cgroups(pid).isEmpty(); i++) {
            Thread.sleep(10);
        }
        assertEquals(List.of(), cgroups(pid));
    }

    /** Kills its JVM as soon as it runs, in the midst of the launch for all that the JVM knows. */
    static final class Killed {
        private Killed() {}

        public static void main(String[] args) throws Exception {
            var _ = Container.builder()
                    .lower(Path.of("/"))
                    .host(Namespace.PID)
                    .run(
                            "/bin/sh",
                            "-c",
                            "kill -9 " + ProcessHandle.current().pid() + "; trap '' HUP TERM; exec sleep " + args[0]);
        }
    }

    @NeedsRoot
    @Test
    void aCommandThatKillsItsJvmAtOnceEndsToo() throws Exception {
        for (int i = 0; i < 3; i++) {
            String argument = "1001." + ProcessHandle.current().pid() + i;
            var jvm = JavaAs.oneself().run(Killed.class.getName(), argument);
            assertEquals(137, jvm.code(), jvm.output());
            assertNoneRuns(argument);
        }
    }

    /** The zygote is killed again and again while it launches: every launch succeeds, and nothing is left of any. */
    @NeedsRoot
    @ParameterizedTest
    @ValueSource(strings = {"KILL", "STOP"})
    void launchesSucceedWhileTheZygoteIsKilledOrStopped(String signal) throws Exception {
        var builder = Container.builder().lower(Path.of("/")).stdout(Stdio.discard());
        try (var lasting = builder.start("/bin/sleep", "1000")) {
            var before = NoLeaks.snapshot();
            var over = new AtomicBoolean();
            var killer = Thread.ofPlatform().start(() -> {
                while (!over.get()) {
                    zygotes().forEach(z -> send(signal, z.pid()));
                    LockSupport.parkNanos(20_000_000);
                }
            });
            int launches = signal.equals("KILL") ? 150 : 12;
            try {
                for (int i = 0; i < launches; i++) {
                    assertTrue(builder.run("/bin/true").isSuccess());
                }
            } finally {
                over.set(true);
                killer.join();
            }
            assertTrue(lasting.isAlive());
            assertTrue(builder.run("/bin/true").isSuccess());
            NoLeaks.assertEqualsSoon(before);
        }
    }

    private static void send(String signal, long pid) {
        var _ = Native.call(Syscall.KILL, pid, (signal.equals("KILL") ? Signal.SIGKILL : Signal.SIGSTOP).number(), 0);
    }

    @NeedsRoot
    @Test
    void aKilledZygoteIsReplacedAtOnce() throws Exception {
        try (var lasting = Container.builder().lower(Path.of("/")).start("/bin/sleep", "1000")) {
            for (int i = 0; i < 500 && zygotes().isEmpty(); i++) {
                Thread.sleep(10);
            }
            var old = zygotes();
            assertEquals(1, old.size());
            send("KILL", old.getFirst().pid());
            boolean handedOn = false;
            for (int i = 0; i < 1000 && !handedOn; i++) {
                Thread.sleep(10);
                // Its descriptors say what it holds: the one that lives.
                handedOn = zygotes().stream()
                        .filter(z -> !old.contains(z))
                        .anyMatch(z -> pidfds(z.pid()).contains(lasting.pid()));
            }
            assertTrue(handedOn);
        }
    }

    /** {@return the processes of which a process holds pidfds} */
    private static List<Long> pidfds(long pid) {
        var all = new ArrayList<Long>();
        try (Stream<Path> infos = Files.list(Path.of("/proc/" + pid + "/fdinfo"))) {
            for (Path info : infos.toList()) {
                for (String line : Files.readAllLines(info)) {
                    if (line.startsWith("Pid:")) {
                        all.add(Long.parseLong(line.substring(4).strip()));
                    }
                }
            }
        } catch (IOException | UncheckedIOException ended) {
            return List.of();
        }
        return all;
    }

    private static String name(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/comm")).strip();
        } catch (IOException ended) {
            return "";
        }
    }

    private static void assertNothingOutlives(JavaAs.Ended jvm, int processes) throws Exception {
        String[] pids = jvm.output().strip().split(" ");
        assertEquals(processes, pids.length, jvm.output());
        for (String pid : pids) {
            boolean alive = true;
            for (int i = 0; alive && i < 500; i++) {
                alive = isAlive(pid);
                Thread.sleep(10);
            }
            assertFalse(alive, () -> pid + " of " + jvm.output());
        }
    }

    private static boolean isAlive(String pid) throws Exception {
        return Files.exists(Path.of("/proc", pid)) && !isZombie(Long.parseLong(pid));
    }

    private static boolean isZombie(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/stat")).contains(") Z ");
        } catch (IOException reaped) {
            return true;
        }
    }

    @Test
    void whenTheJvmIsKilledSoAreItsContainers() throws Exception {
        var jvm = JavaAs.oneself().run(Jvm.class.getName(), "killed");
        assertEquals(137, jvm.code(), jvm.output());
        assertNothingOutlives(jvm, 4);
    }

    @Test
    void whenTheJvmExitsItsContainersEnd() throws Exception {
        var jvm = JavaAs.oneself().run(Jvm.class.getName(), "exit");
        assertEquals(0, jvm.code(), jvm.output());
        assertNothingOutlives(jvm, 4);
    }

    @Test
    void whenTheZygoteIsKilledAnotherTakesOver() throws Exception {
        var jvm = JavaAs.oneself().run(Jvm.class.getName(), "zygote killed");
        assertEquals(137, jvm.code(), jvm.output());
        assertNothingOutlives(jvm, 5);
    }

    @NeedsRoot
    @Test
    void anOrdinaryUsersContainersEndWithTheirJvmToo() throws Exception {
        var jvm = JavaAs.user(SOMEBODY, SOMEBODY, directory).run(Jvm.class.getName(), "killed");
        assertTrue(jvm.code() == 137, jvm.output());
        assertNothingOutlives(jvm, 4);
    }
}
