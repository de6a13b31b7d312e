// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Signal;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.Capability;
import dev.caisson.spec.Namespace;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Commands in the namespaces of a container: of that one and no other, with no more privilege than it gives. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class JoinTest {
    private static final int SOMEBODY = 64323;

    @TempDir
    Path directory;

    @Test
    void aContainerThatHasEndedIsRefusedWheneverItEnds() throws Exception {
        var container = overHost().start("/bin/sleep", "1000");
        var joining = Container.bare().join(container, Namespace.NETWORK);
        assertTrue(joining.run("/bin/true").isSuccess());
        container.close();
        // By its number, this would be whoever has it by now.
        var refused = assertThrows(ContainerException.class, () -> joining.run("/bin/true"));
        assertTrue(refused.getMessage().contains("has ended"), refused.getMessage());
        assertThrows(IllegalStateException.class, () -> Container.bare().join(container, Namespace.NETWORK));
    }

    @Test
    void joiningNoNamespaceIsRefusedForTheCommandWouldRunOnTheHost() throws Exception {
        try (var container = overHost().start("/bin/sleep", "1000")) {
            var refused = assertThrows(
                    IllegalArgumentException.class, () -> Container.bare().join(container));
            assertTrue(refused.getMessage().contains("name one at least"), refused.getMessage());
        }
    }

    private static Namespace[] allOf(Namespace... but) {
        var all = EnumSet.allOf(Namespace.class);
        Stream.of(but).forEach(all::remove);
        return all.toArray(Namespace[]::new);
    }

    @Test
    void allNamespacesOfASandboxAreJoinedWithAnInitAndWithout() throws Exception {
        for (var sandbox : new ContainerBuilder[] {
            Container.sandbox().lower(Path.of("/")),
            Container.sandbox().lower(Path.of("/")).init()
        }) {
            try (var container = sandbox.hostname("joined").start("/bin/sleep", "1000")) {
                var output = Container.bare().join(container, allOf()).capture("/bin/hostname");
                assertEquals("joined", output.orThrow().text().strip());
            }
        }
    }

    /** Joins containers of its own. */
    static final class Rootless {
        private Rootless() {}

        public static void main(String[] args) throws Exception {
            for (var container : new ContainerBuilder[] {overHost(), overHost().init()}) {
                try (var running = container.hostname("own").start("/bin/sleep", "1000")) {
                    for (var joining : new ContainerBuilder[] {Container.bare(), Container.builder()}) {
                        System.out.println(joining.join(running, allOf(Namespace.TIME))
                                .capture("/bin/hostname")
                                .orThrow()
                                .text()
                                .strip());
                    }
                }
            }
        }
    }

    @Test
    void anOrdinaryUserJoinsContainersOfItsOwn() throws Exception {
        var jvm = JavaAs.user(SOMEBODY, SOMEBODY, directory).run(Rootless.class.getName());
        assertEquals("own\nown\nown\nown", jvm.output());
        assertEquals(0, jvm.code());
    }

    /** Joins a container of its own, but not its user namespace. */
    static final class WithoutUser {
        private WithoutUser() {}

        public static void main(String[] args) throws Exception {
            try (var running = overHost().start("/bin/sleep", "1000")) {
                var refused = assertThrows(
                        ContainerException.class,
                        () -> Container.bare().join(running, Namespace.MOUNT).run("/bin/true"));
                System.out.println(refused.getMessage());
            }
        }
    }

    @Test
    void anOrdinaryUserIsToldToJoinTheUserNamespaceToo() throws Exception {
        var jvm = JavaAs.user(SOMEBODY, SOMEBODY, directory).run(WithoutUser.class.getName());
        assertTrue(jvm.output().contains("by joining the container's Namespace.USER, too"), jvm.output());
        assertEquals(0, jvm.code(), jvm.output());
    }

    /** A container sees a joining process from the fork on; by then it has given up what the command will not have. */
    @Test
    void aJoiningCommandIsSeenInsideOnlyWithThePrivilegesOfTheCommand() throws Exception {
        String watching = "while :; do for p in /proc/[0-9]*; do read -r name < $p/comm; case $name in caisson*)"
                + " grep CapEff $p/status;; esac; done; done 2>/dev/null";
        // Each waits before its execve long enough to be seen.
        var policy = Seccomp.otherwise(Action.allow()).supervise(Syscall.EXECVE, _ -> {
            LockSupport.parkNanos(30_000_000);
            return Reply.proceed();
        });
        String seen;
        try (var container = overHost().start("/bin/sh", "-c", watching)) {
            var joining = Container.builder()
                    .join(container, Namespace.PID, Namespace.MOUNT)
                    .capabilities(Capabilities.none())
                    .seccomp(policy);
            for (int i = 0; i < 10; i++) {
                assertTrue(joining.run("/bin/true").isSuccess());
            }
            var _ = container.signal(Signal.SIGKILL);
            seen = new String(container.stdout().readAllBytes(), StandardCharsets.US_ASCII);
        }
        assertFalse(seen.isEmpty());
        assertEquals(
                Set.of("0000000000000000"),
                Set.copyOf(seen.replaceAll("CapEff:\\s*", "").lines().toList()));
    }

    /** Seizes every process of the launch that it sees, stops it, and lets none go. */
    private static final String TRACER = """
            import ctypes, os
            libc = ctypes.CDLL(None)
            print("tracing", flush=True)
            seized = set()
            while True:
                for pid in os.listdir("/proc"):
                    if pid.isdigit() and pid not in seized:
                        try:
                            name = open("/proc/" + pid + "/comm").read()
                        except OSError:
                            continue
                        if name.startswith("caisson") and libc.ptrace(0x4206, int(pid), 0, 0) == 0:
                            seized.add(pid)
                            libc.ptrace(0x4207, int(pid), 0, 0)
                            print("seized", flush=True)
            """;

    @Test
    void aTracerInsideHoldsUpNobodyLongerThanTheTimeout() throws Exception {
        Need.PYTHON3.orSkip();
        // Holds the command before its execve until it is traced.
        var policy = Seccomp.otherwise(Action.allow()).supervise(Syscall.EXECVE, _ -> {
            LockSupport.parkNanos(300_000_000);
            return Reply.proceed();
        });
        try (var container = overHost()
                        .addCapabilities(Capability.SYS_PTRACE)
                        .seccompUnconfined()
                        .start(Need.PYTHON3.path().toString(), "-c", TRACER);
                var said = new BufferedReader(new InputStreamReader(container.stdout()))) {
            assertEquals("tracing", said.readLine());
            long before = processorNanos();
            long start = System.nanoTime();
            var output = Container.builder()
                    .join(container, Namespace.PID, Namespace.MOUNT)
                    .seccomp(policy)
                    .timeout(Duration.ofSeconds(1))
                    .capture("/bin/sleep", "0.01");
            long took = System.nanoTime() - start;
            assertEquals("seized", said.readLine());
            assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.TIMEOUT), output.exit());
            assertTrue(took < 8_000_000_000L, took + " ns");
            // The dead one is a zombie as long as its tracer does not look; nobody spins for that.
            Thread.sleep(1000);
            assertTrue(processorNanos() - before < (System.nanoTime() - start) / 2, "spins");
        }
    }

    private static long processorNanos() {
        return ProcessHandle.current().info().totalCpuDuration().orElseThrow().toNanos();
    }

    @Test
    void timeoutAndCloseLeaveNobodyInTheJoinedPidNamespace() throws Exception {
        String seconds = "1002." + ProcessHandle.current().pid();
        // A child in the background, one in a session of its own, one that has lost its parent, and one that did both.
        String script =
                "sleep @ & setsid sleep @ & (sleep @ &); (setsid setsid sleep @ &); sleep @".replace("@", seconds);
        try (var container = overHost().start("/bin/sleep", "1000")) {
            var joining = Container.bare().join(container, Namespace.PID, Namespace.MOUNT);
            var exit = joining.timeout(Duration.ofMillis(500)).run("/bin/sh", "-c", script);
            assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.TIMEOUT), exit);
            assertNoneRuns(seconds);
            try (var command = joining.start("/bin/sh", "-c", script)) {
                for (int i = 0; i < 500 && running(seconds) < 5; i++) {
                    Thread.sleep(10);
                }
                assertEquals(5, running(seconds));
                assertTrue(command.isAlive());
            }
            assertNoneRuns(seconds);
            assertTrue(container.isAlive());
        }
    }

    /** Where the name of a process stands, as of one that called itself so to be overlooked, there may be any bytes. */
    @Test
    void aProcessWhoseNameIsNotTextIsNotLeft(@TempDir Path directory) throws Exception {
        String seconds = "1003." + ProcessHandle.current().pid();
        String script = "f=\"$0/$(printf '\\377')\"; cp /bin/sleep \"$f\"; (setsid setsid \"$f\" @ &); sleep @";
        try (var container = overHost().bind(directory, "/mnt").start("/bin/sleep", "1000")) {
            var joining = Container.bare().join(container, Namespace.PID, Namespace.MOUNT);
            try (var command = joining.start("/bin/sh", "-c", script.replace("@", seconds), "/mnt")) {
                for (int i = 0; i < 500 && running(seconds) < 2; i++) {
                    Thread.sleep(10);
                }
                assertEquals(2, running(seconds));
                assertTrue(command.isAlive());
            }
            assertNoneRuns(seconds);
        }
    }

    private static void assertNoneRuns(String argument) throws InterruptedException {
        for (int i = 0; i < 200 && running(argument) > 0; i++) {
            Thread.sleep(10);
        }
        assertEquals(0, running(argument));
    }

    private static long running(String argument) {
        return ProcessHandle.allProcesses()
                .filter(process -> {
                    try {
                        String[] line = Files.readString(
                                        Path.of("/proc/" + process.pid() + "/cmdline"), StandardCharsets.ISO_8859_1)
                                .split("\0");
                        return line.length == 2 && line[1].equals(argument);
                    } catch (IOException ended) {
                        return false;
                    }
                })
                .count();
    }
}
