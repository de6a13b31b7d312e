// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.spec.Limits;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Signal;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.Capability;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.Securebit;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.JavaAs;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Further commands of a running container: in it altogether, and as confined as its own. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class CommandTest {
    private static final int SOMEBODY = 64329;

    @TempDir
    Path directory;

    /** Containers of every kind. */
    static Map<String, ContainerBuilder> everyWay() {
        var ways = new LinkedHashMap<String, ContainerBuilder>();
        ways.put("plain", overHost());
        ways.put("init", overHost().init());
        ways.put("a cgroup", overHost().limits(Limits.none()));
        ways.put("sandbox", Container.sandbox().lower(Path.of("/")));
        ways.put("a user namespace", overHost().newUser());
        ways.put(
                "the host's network and IPC", overHost().host(Namespace.NETWORK).host(Namespace.IPC));
        ways.put("the host's processes", overHost().host(Namespace.PID));
        ways.put("bare with a root", Container.bare().lower(Path.of("/")));
        ways.put("bare with processes", Container.bare().newPid());
        ways.put("bare", Container.bare());
        return ways;
    }

    /** But for the time namespace, which an init of ours is not in itself. */
    private static String namespaces(long pid) throws IOException {
        var lines = new StringBuilder();
        for (var namespace : EnumSet.complementOf(EnumSet.of(Namespace.TIME))) {
            String file = namespace.file();
            lines.append(Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/" + file)))
                    .append('\n');
        }
        return lines.toString();
    }

    @Test
    void itIsInEveryNamespaceOfTheContainer() throws Exception {
        for (var way : everyWay().entrySet()) {
            try (var container = way.getValue().start("/bin/sleep", "1000");
                    var command = container.command("/bin/sleep", "1000").start()) {
                String own = namespaces(ProcessHandle.current().pid());
                if (!way.getKey().equals("bare")) {
                    assertNotEquals(own, namespaces(container.pid()));
                }
                assertEquals(namespaces(container.pid()), namespaces(command.pid()), way.getKey());
                assertEquals(
                        Files.readSymbolicLink(Path.of("/proc/" + container.pid() + "/cwd")),
                        Files.readSymbolicLink(Path.of("/proc/" + command.pid() + "/cwd")),
                        way.getKey());
            }
        }
    }

    @Test
    void clocksAreTheContainersWithAnInitAndWithout() throws Exception {
        var builder = overHost().bootTimeOffset(Duration.ofDays(1000));
        for (var way : List.of(builder, builder.init())) {
            try (var container = way.start("/bin/sleep", "1000")) {
                String uptime = container
                        .command("cut", "-d.", "-f1", "/proc/uptime")
                        .capture()
                        .orThrow()
                        .text();
                assertTrue(Long.parseLong(uptime) > Duration.ofDays(1000).toSeconds(), uptime);
            }
        }
    }

    /** What confines a process, as the kernel tells it. */
    private static final String CONFINEMENT =
            "grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|Umask|Cpus_allowed_list)' /proc/self/status;"
                    + " cat /proc/self/limits /proc/self/oom_score_adj; cut -d' ' -f19 /proc/self/stat; pwd; env | sort;"
                    + " umask";

    @Test
    void itIsAsConfinedAsTheContainersOwnCommand() throws Exception {
        var ways = everyWay();
        ways.put(
                "particular",
                overHost()
                        .user("daemon:bin")
                        .groups("mail")
                        .umask(027)
                        .nice(5)
                        .oomScoreAdj(300)
                        .rlimit(Rlimit.of(Rlimit.Resource.NPROC, 4000))
                        .environment("ONE", "1")
                        .hostname("there")
                        .workingDirectory("/var")
                        .addCapabilities(Capability.SYS_PTRACE));
        ways.put("securebits", overHost().addCapabilities(Capability.SETPCAP).securebits(Securebit.NOROOT));
        ways.put(
                "two filters",
                overHost()
                        .seccomp(Seccomp.otherwise(Action.allow()).fail(Errno.EPERM, Syscall.REBOOT))
                        .seccomp(Seccomp.otherwise(Action.allow()).fail(Errno.EPERM, Syscall.SWAPON)));
        for (var way : ways.entrySet()) {
            String own = Samples.sh(way.getValue(), CONFINEMENT);
            try (var container = way.getValue().start("/bin/sleep", "1000")) {
                var said = container.command("/bin/sh", "-c", CONFINEMENT).capture();
                assertEquals(own, said.orThrow().text(), way.getKey());
            }
        }
    }

    @Test
    void lessConfinementIsHadByMethodsThatSaySo() throws Exception {
        try (var container = overHost().start("/bin/sleep", "1000")) {
            var command = container.command(
                    "/bin/sh", "-c", "grep -E '^(NoNewPrivs|Seccomp):|^CapEff' /proc/self/status | cut -f2");
            var usual = command.capture().orThrow().text().lines().toList();
            assertEquals(List.of("1", "2"), usual.subList(1, 3));
            var more = command.addCapabilities(Capability.SYS_ADMIN)
                    .allowNewPrivileges()
                    .seccompUnconfined()
                    .capture()
                    .orThrow()
                    .text()
                    .lines()
                    .toList();
            assertEquals(List.of("0", "0"), more.subList(1, 3));
            assertEquals(
                    Long.parseUnsignedLong(usual.getFirst(), 16) | 1L << Capability.SYS_ADMIN.ordinal(),
                    Long.parseUnsignedLong(more.getFirst(), 16));
            var less = command.dropCapabilities(Capability.KILL)
                    .capture()
                    .orThrow()
                    .text();
            assertEquals(
                    Long.parseUnsignedLong(usual.getFirst(), 16) & ~(1L << Capability.KILL.ordinal()),
                    Long.parseUnsignedLong(less.lines().findFirst().orElseThrow(), 16));
        }
    }

    @Test
    void whatIsSetForItIsItsOwn() throws Exception {
        try (var container = overHost().environment("ONE", "1").start("/bin/sleep", "1000")) {
            var command = container
                    .command("/bin/sh", "-c", "echo $ONE $TWO $0 $(pwd) $(umask) $(id -un) $(cat <&5)", "-")
                    .environment("TWO", "2")
                    .workingDirectory("/usr/bin")
                    .umask(077)
                    .user("daemon")
                    .descriptor(5, Stdio.bytes("five".getBytes(StandardCharsets.US_ASCII)));
            assertEquals(
                    "1 2 - /usr/bin 0077 daemon five",
                    command.capture().orThrow().text());
            var input = container.command(List.of("/bin/cat")).stdin(Stdio.bytes(new byte[] {'x'}));
            assertEquals("x", input.capture().orThrow().text());
            assertEquals(
                    new Exit.Exited(7),
                    container.command("/bin/sh", "-c", "exit 7").run());
        }
    }

    @Test
    void namesOfUsersAreThoseThatTheContainerHasNow() throws Exception {
        try (var container = overHost().start("/bin/sleep", "1000")) {
            Files.writeString(container.fs().getPath("/etc/passwd"), "newcomer:x:4242:4243::/srv:/bin/sh\n");
            var said = container
                    .command("/bin/sh", "-c", "id -u; id -g; echo $HOME")
                    .user("newcomer")
                    .capture();
            assertEquals("4242\n4243\n/srv", said.orThrow().text());
            var unknown = container.command("true").user("daemon");
            var refused = assertThrows(ContainerException.class, unknown::run);
            assertTrue(refused.getMessage().contains("\"daemon\" is not in the container's"), refused.getMessage());
        }
        try (var container = overHost().newUser().start("/bin/sleep", "1000")) {
            var unmapped = container.command("true").user(70_000, 70_000);
            var refused = assertThrows(IllegalStateException.class, unmapped::run);
            assertTrue(refused.getMessage().contains("does not exist in the user namespace"), refused.getMessage());
        }
    }

    @Test
    void itsPipesAreItsUsersToOpenAgain() throws Exception {
        for (var way : List.of(overHost(), overHost().newUser())) {
            try (var container = way.user("daemon").start("/bin/sleep", "1000")) {
                var said = container
                        .command("/bin/sh", "-c", "echo again > /dev/stdout")
                        .capture();
                assertEquals("again", said.orThrow().text());
            }
        }
    }

    @Test
    void theContainersSupervisorsAnswerItToo() throws Exception {
        var asked = new AtomicInteger();
        var policy = Seccomp.otherwise(Action.allow()).supervise(Syscall.MKDIR, _ -> {
            asked.incrementAndGet();
            return Reply.fail(Errno.EXDEV);
        });
        for (var way : List.of(overHost(), overHost().init(), overHost().host(Namespace.PID))) {
            try (var container = way.seccomp(policy).start("/bin/sleep", "1000")) {
                int before = asked.get();
                var said = container
                        .command("/usr/bin/python3", "-c", "import os; os.mkdir('/tmp/x')")
                        .capture();
                assertEquals(new Exit.Exited(1), said.exit());
                assertTrue(said.errorText().contains("cross-device"), said.errorText());
                assertEquals(before + 1, asked.get());
            }
        }
    }

    @Test
    void aContainerThatHasEndedIsRefused() throws Exception {
        for (var way : everyWay().entrySet()) {
            var container = way.getValue().start("/bin/sleep", "1000");
            var command = container.command("/bin/true");
            assertTrue(command.run().isSuccess(), way.getKey());
            container.close();
            var refused = assertThrows(ContainerException.class, command::run, way.getKey());
            assertTrue(refused.getMessage().contains("the container has ended"), refused.getMessage());
        }
    }

    @Test
    @SuppressWarnings("try") // To close it early is what this is about.
    void theEndOfTheContainerIsTheEndOfItsCommands() throws Exception {
        for (var way : everyWay().entrySet()) {
            try (var container = way.getValue().start("/bin/sleep", "1000");
                    var command = container.command("/bin/sleep", "1000").start()) {
                container.close();
                var exit = command.waitFor(Duration.ofSeconds(20)).orElseThrow();
                assertTrue(
                        exit instanceof Exit.Killed(var signal, var _) && signal.equals(Signal.SIGKILL),
                        exit + way.getKey());
            }
        }
    }

    private static BufferedReader reader(ContainerProcess process) {
        return new BufferedReader(new InputStreamReader(process.stdout(), StandardCharsets.UTF_8));
    }

    @Test
    void signalsReachTheCommand() throws Exception {
        String script = "trap 'echo term; exit 5' TERM; echo ready; while :; do sleep 0.01; done";
        for (var way :
                List.of(overHost(), overHost().limits(Limits.none()), overHost().host(Namespace.PID))) {
            try (var container = way.start("/bin/sleep", "1000")) {
                try (var command = container.command("/bin/sh", "-c", script).start();
                        var said = reader(command)) {
                    assertEquals("ready", said.readLine());
                    assertTrue(command.signal(Signal.SIGTERM));
                    assertEquals("term", said.readLine());
                    assertEquals(new Exit.Exited(5), command.waitFor());
                }
                try (var command = container.command("/bin/sh", "-c", script).start();
                        var said = reader(command)) {
                    assertEquals("ready", said.readLine());
                    assertTrue(command.signal(Signal.SIGSTOP));
                    assertTrue(command.waitFor(Duration.ofMillis(100)).isEmpty());
                    assertTrue(command.signal(Signal.SIGCONT));
                    assertEquals(new Exit.Exited(5), command.stop(Duration.ofSeconds(20)));
                }
                try (var command = container.command("/bin/sleep", "1000").start()) {
                    assertTrue(command.signal(Signal.SIGKILL));
                    assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.SIGNAL), command.waitFor());
                }
            }
        }
    }

    @Test
    void itHasATerminalOfTheContainersOwn() throws Exception {
        String script =
                "tty; stty size; ps -o tpgid= -p $$ | tr -d ' ' | sed s/^$$\\$/foreground/; read x; echo got $x";
        for (var way :
                List.of(overHost(), overHost().limits(Limits.none()), overHost().newUser())) {
            try (var container = way.start("/bin/sleep", "1000");
                    var command = container
                            .command("/bin/sh", "-c", script)
                            .terminal(81, 25)
                            .start();
                    var said = reader(command)) {
                assertEquals("/dev/pts/0", said.readLine());
                assertEquals("25 81", said.readLine());
                assertEquals("foreground", said.readLine());
                command.stdin().write("typed\n".getBytes(StandardCharsets.US_ASCII));
                command.stdin().flush();
                assertEquals("typed", said.readLine());
                assertEquals("got typed", said.readLine());
                assertTrue(command.waitFor().isSuccess());
            }
        }
    }

    @Test
    void aContainerThatWasPreparedTakesCommandsToo() throws Exception {
        var builder = overHost().hostname("prepared").environment("ONE", "1");
        try (var prepared = builder.prepare("/bin/sleep", "1000");
                var container = prepared.start()) {
            var said = container.command("/bin/sh", "-c", "hostname; echo $ONE").capture();
            assertEquals("prepared\n1", said.orThrow().text());
        }
    }

    @Test
    void explainShowsHowTheContainerIsEntered() throws Exception {
        try (var container = overHost().limits(Limits.none()).start("/bin/sleep", "1000")) {
            var plan = container.command("ps", "aux").pidsMax(7).explain();
            String text = plan.toString();
            assertTrue(text.contains("setns(<join mnt>, CLONE_NEWNS|"), text);
            assertTrue(text.contains("pids.max\", \"7\")"), text);
            assertTrue(text.contains("<command>"), text);
            assertTrue(text.contains("execve(\"/usr/bin/ps\", [\"ps\", \"aux\"]"), text);
            assertEquals(List.of(), plan.missing());
        }
    }

    /** Runs commands in containers of its own. */
    static final class Rootless {
        private Rootless() {}

        public static void main(String[] args) throws Exception {
            for (var way : Stream.of(
                            overHost(), overHost().init(), Container.sandbox().lower(Path.of("/")))
                    .toList()) {
                try (var container = way.hostname("own").start("/bin/sleep", "1000")) {
                    var said = container.command("/bin/sh", "-c", "for i in /proc/self/ns/*; do readlink $i; done");
                    var own = List.of(namespaces(container.pid()).split("\n"));
                    var entered = said.capture().orThrow().text().lines().toList();
                    assertTrue(entered.containsAll(own), own + " and " + entered);
                    System.out.println(container
                            .command("/bin/sh", "-c", "hostname; id -u; (setsid setsid sleep 1000 > /dev/null 2>&1 &)")
                            .capture()
                            .orThrow()
                            .text());
                }
            }
        }
    }

    @Test
    void anOrdinaryUserRunsCommandsInContainersOfItsOwn() throws Exception {
        var jvm = JavaAs.user(SOMEBODY, SOMEBODY, directory).run(Rootless.class.getName());
        assertEquals("own\n0\nown\n0\nown\n0", jvm.output());
        assertEquals(0, jvm.code());
    }
}
