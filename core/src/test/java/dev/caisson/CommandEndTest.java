// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.spec.Limits;
import dev.caisson.linux.Signal;
import dev.caisson.spec.Namespace;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** However a command in a container's namespaces ends, all that it has started ends with it, and nothing else. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class CommandEndTest {
    private static final int SOMEBODY = 64331;
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    /** In the background, in a session of its own, without its parent, and both. */
    private static final String DAEMONS =
            "sleep @ & setsid sleep @ & (sleep @ &); (setsid setsid sleep @ > /dev/null 2>&1 &);";

    private static final int ALL = 4;

    @TempDir
    Path directory;

    /** {@return an argument of sleep(1) that nobody else has} */
    private static String seconds() {
        return (2000 + NUMBERS.incrementAndGet()) + "."
                + ProcessHandle.current().pid();
    }

    static long running(String argument) {
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

    private static void await(long count, String seconds) throws InterruptedException {
        for (int i = 0; i < 1000 && running(seconds) != count; i++) {
            Thread.sleep(10);
        }
        assertEquals(count, running(seconds));
    }

    /** A command in a container, by whichever builder. */
    private interface Command {
        ContainerProcess start(Container in, @Nullable Duration timeout, String script) throws IOException;
    }

    private static Command further() {
        return (in, timeout, script) -> {
            var command = in.command("/bin/sh", "-c", script);
            return (timeout == null ? command : command.timeout(timeout)).start();
        };
    }

    private static Command joining(ContainerBuilder builder, Namespace... namespaces) {
        return (in, timeout, script) -> {
            var command = builder.join(in, namespaces);
            return (timeout == null ? command : command.timeout(timeout)).start("/bin/sh", "-c", script);
        };
    }

    private record Way(ContainerBuilder container, Command command) {}

    private static Map<String, Way> everyWay() {
        var ways = new LinkedHashMap<String, Way>();
        ways.put("a command", new Way(overHost(), further()));
        ways.put("a command in a cgroup", new Way(overHost().limits(Limits.none()), further()));
        ways.put("a command among the host's processes", new Way(overHost().host(Namespace.PID), further()));
        ways.put("a command of a user namespace", new Way(overHost().newUser(), further()));
        ways.put("a command of a bare container", new Way(Container.bare(), further()));
        var bare = Container.bare();
        ways.put("bare, joining the network", new Way(overHost(), joining(bare, Namespace.NETWORK)));
        ways.put("bare, joining processes", new Way(overHost(), joining(bare, Namespace.PID)));
        ways.put("bare, joining all", new Way(overHost(), joining(bare, Namespace.PID, Namespace.MOUNT)));
        ways.put(
                "bare, joining with a limit",
                new Way(overHost(), joining(bare.pidsMax(100), Namespace.PID, Namespace.MOUNT)));
        ways.put(
                "joining processes", new Way(overHost(), joining(Container.builder(), Namespace.PID, Namespace.MOUNT)));
        ways.put("a root of its own, joining processes", new Way(overHost(), joining(overHost(), Namespace.PID)));
        return ways;
    }

    private interface Ending {
        void end(ContainerProcess command) throws Exception;
    }

    private static void assertNothingIsLeft(String script, @Nullable Duration timeout, Ending ending) throws Exception {
        for (var way : everyWay().entrySet()) {
            String seconds = seconds();
            String others = seconds();
            try (var container = way.getValue().container().start("/bin/sh", "-c", "sleep " + others + " & wait");
                    var other = container.command("/bin/sleep", others).start()) {
                try (var command = way.getValue().command().start(container, timeout, script.replace("@", seconds))) {
                    ending.end(command);
                } catch (Exception | Error failed) {
                    throw new AssertionError(way.getKey(), failed);
                }
                assertEquals(0, running(seconds), way.getKey());
                assertTrue(container.isAlive(), way.getKey());
                assertTrue(other.isAlive(), way.getKey());
                await(2, others);
            }
        }
    }

    @Test
    void itsEndIsTheEndOfAllThatItHasStarted() throws Exception {
        assertNothingIsLeft(DAEMONS + " exit 3", null, command -> assertEquals(new Exit.Exited(3), command.waitFor()));
    }

    @Test
    void aTimeoutLeavesNothing() throws Exception {
        assertNothingIsLeft(
                DAEMONS + " wait; sleep @",
                Duration.ofMillis(400),
                command -> assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.TIMEOUT), command.waitFor()));
    }

    @Test
    void closingLeavesNothing() throws Exception {
        assertNothingIsLeft(DAEMONS + " echo ready; wait; sleep @", null, command -> {
            assertEquals('r', command.stdout().read());
            command.close();
            assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.STOPPED), command.waitFor());
        });
    }

    @Test
    void stoppingLeavesNothing() throws Exception {
        assertNothingIsLeft(
                DAEMONS + " trap 'exit 4' TERM; echo ready; while :; do sleep 0.01; done", null, command -> {
                    assertEquals('r', command.stdout().read());
                    assertEquals(new Exit.Exited(4), command.stop(Duration.ofSeconds(20)));
                });
        assertNothingIsLeft(DAEMONS + " trap '' TERM; echo ready; while :; do sleep 0.01; done", null, command -> {
            assertEquals('r', command.stdout().read());
            assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.STOPPED), command.stop(Duration.ofMillis(50)));
        });
    }

    @Test
    void anInterruptOfWhoRunsItLeavesNothing() throws Exception {
        for (var builder : List.of(overHost(), overHost().limits(Limits.none()))) {
            String seconds = seconds();
            try (var container = builder.start("/bin/sleep", "1000")) {
                var failure = new AtomicReference<@Nullable Throwable>();
                var thread = Thread.ofPlatform().start(() -> {
                    var command = container.command("/bin/sh", "-c", (DAEMONS + " wait").replace("@", seconds));
                    failure.set(assertThrows(InterruptedException.class, command::run));
                });
                await(ALL, seconds);
                thread.interrupt();
                thread.join(20_000);
                assertTrue(failure.get() instanceof InterruptedException);
                assertEquals(0, running(seconds));
                assertTrue(container.isAlive());
            }
        }
    }

    /** Each process only starts the next one and ends, so that whoever lists them is too late; each leaves a byte. */
    private static final String RUNAWAY = """
            import os, time
            trace = os.open("/mnt/trace", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            print("ready", flush=True)
            if os.fork():
                time.sleep(1000)
            while True:
                if os.fork():
                    os._exit(0)
                os.setsid()
                os.write(trace, b"x")
            """;

    @Test
    void processesThatRunAwayAreCaught() throws Exception {
        Need.PYTHON3.orSkip();
        for (var builder :
                List.of(overHost(), overHost().limits(Limits.none()), overHost().host(Namespace.PID))) {
            try (var container = builder.bind(directory, "/mnt").start("/bin/sleep", "1000")) {
                var command = container
                        .command(Need.PYTHON3.path().toString(), "-c", RUNAWAY)
                        .start();
                assertEquals('r', command.stdout().read());
                for (int i = 0; i < 500 && Files.size(directory.resolve("trace")) < 20; i++) {
                    Thread.sleep(10);
                }
                long start = System.nanoTime();
                command.close();
                assertTrue(System.nanoTime() - start < 8_000_000_000L, "it was given up");
                long size = Files.size(directory.resolve("trace"));
                assertTrue(size >= 20);
                Thread.sleep(200);
                assertEquals(size, Files.size(directory.resolve("trace")));
                assertTrue(container.isAlive());
            }
            Files.delete(directory.resolve("trace"));
        }
    }

    /** Ends commands in containers of its own. */
    static final class Rootless {
        private Rootless() {}

        public static void main(String[] args) throws Exception {
            String seconds = seconds();
            try (var container = overHost().start("/bin/sleep", "1000")) {
                String script = DAEMONS.replace("@", seconds);
                System.out.println(
                        container.command("/bin/sh", "-c", script + " exit 3").run());
                System.out.println(running(seconds));
                System.out.println(container
                        .command("/bin/sh", "-c", script + " sleep " + seconds)
                        .timeout(Duration.ofMillis(400))
                        .run());
                System.out.println(running(seconds));
                System.out.println(container.isAlive());
            }
        }
    }

    @Test
    void itIsTheSameForAnOrdinaryUser() throws Exception {
        var jvm = JavaAs.user(SOMEBODY, SOMEBODY, directory).run(Rootless.class.getName());
        assertEquals(
                new Exit.Exited(3) + "\n0\n" + new Exit.Killed(Signal.SIGKILL, Exit.Cause.TIMEOUT) + "\n0\ntrue",
                jvm.output());
    }
}
