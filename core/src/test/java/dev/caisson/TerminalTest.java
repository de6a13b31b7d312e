// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.TerminalScenes.bare;
import static dev.caisson.TerminalScenes.shown;
import static dev.caisson.TerminalScenes.start;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.TerminalScenes.Kind;
import dev.caisson.TerminalScenes.Starter;
import dev.caisson.linux.Signal;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Terminals of commands, on the real kernel; as an ordinary user in a JVM of its own. */
@NeedsRoot
@Timeout(120)
@ExtendWith(NoLeaks.class)
class TerminalTest {
    private static final int SOMEBODY = 64_331;
    private static final Path SLASH = Path.of("/");

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource
    void itIsTheControllingTerminalInItsSize(Kind kind) throws Exception {
        TerminalScenes.isControlling(Starter.of(kind), kind.hasOwnDevices());
    }

    @ParameterizedTest
    @EnumSource
    void aShellHasJobControl(Kind kind) throws Exception {
        TerminalScenes.jobControl(Starter.of(kind));
    }

    @ParameterizedTest
    @EnumSource
    void aNewSizeIsToldToTheForeground(Kind kind) throws Exception {
        TerminalScenes.resize(Starter.of(kind));
    }

    @ParameterizedTest
    @EnumSource
    void hangingUpIsToldToTheCommand(Kind kind) throws Exception {
        TerminalScenes.hangUp(Starter.of(kind));
    }

    @ParameterizedTest
    @EnumSource
    void closingItsInputEndsItsInput(Kind kind) throws Exception {
        TerminalScenes.endOfInput(Starter.of(kind));
    }

    @ParameterizedTest
    @EnumSource
    void aFurtherCommandHasOneToo(Kind kind) throws Exception {
        TerminalScenes.furtherCommand(kind);
    }

    @Test
    void anOrdinaryUserHasTerminalsToo() throws Exception {
        var jvm = JavaAs.user(SOMEBODY, SOMEBODY, directory).run(Rootless.class.getName());
        assertEquals(0, jvm.code(), jvm.output());
        assertTrue(jvm.output().endsWith("all seen"), jvm.output());
    }

    static final class Rootless {
        private Rootless() {}

        public static void main(String[] args) throws Exception {
            for (var kind : Kind.values()) {
                var starter = Starter.of(kind);
                TerminalScenes.isControlling(starter, kind.hasOwnDevices());
                TerminalScenes.jobControl(starter);
                TerminalScenes.resize(starter);
                TerminalScenes.hangUp(starter);
                TerminalScenes.endOfInput(starter);
                TerminalScenes.furtherCommand(kind);
            }
            TerminalScenes.joining(Container.sandbox().lower(SLASH));
            System.out.println("all seen");
        }
    }

    @Test
    void itBelongsToTheUserAndIsTheConsole() throws Exception {
        String stat = "stat -L -c '%t:%T %U:%G %a' /proc/self/fd/0 /dev/console; echo $TERM";
        assertEquals("88:0 root:tty 620\n88:0 root:tty 620\nxterm\n", shown(overHost(), stat));
        assertEquals(
                "88:0 nobody:tty 620\n88:0 nobody:tty 620\nxterm\n",
                shown(overHost().user("nobody"), stat));
        assertEquals(
                "88:0 daemon:tty 620\n88:0 daemon:tty 620\nxterm\n",
                shown(Container.sandbox().lower(SLASH).user("daemon"), stat));
        assertEquals(
                "",
                shown(
                        overHost().user("nobody"),
                        "exec </dev/null >/dev/console 2>/dev/tty; test -w /dev/console || id"));
        assertEquals("vt220\n", shown(overHost().environment("TERM", "vt220"), "echo $TERM"));
    }

    @Test
    void aHostsTerminalBelongsToTheUserOfABareCommand() throws Exception {
        assertEquals(
                "nobody 620\nwritten\n",
                shown(bare().user("nobody"), "stat -L -c '%U %a' /proc/self/fd/0; echo written > $(tty)")
                        .replace("600", "620"));
    }

    @Test
    void aSecondCommandHasATerminalOfTheSameDevpts() throws Exception {
        TerminalScenes.joining(Container.sandbox().lower(SLASH));
        try (var container = start(overHost(), "exec sleep 1000")) {
            var joining = bare().join(container, Namespace.MOUNT, Namespace.PID);
            assertEquals("/dev/pts/1\n0\n1\nptmx\n", shown(joining, "tty; ls -1 /dev/pts"));
        }
    }

    @Test
    void aPreparedContainerHasItsTerminalWhenItIsStarted() throws Exception {
        for (var kind : Kind.values()) {
            String script = kind.hasOwnDevices() ? "stat -L -c %t:%T /dev/console; tty; stty size" : "stty size";
            try (var prepared = kind.builder().terminal(91, 17).prepare("/bin/sh", "-c", script);
                    var container = prepared.start()) {
                assertEquals(
                        kind.hasOwnDevices() ? "88:0\n/dev/pts/0\n17 91\n" : "17 91\n",
                        new Typist(container).toTheEnd());
            }
        }
    }

    @Test
    void aJoinedMountNamespaceWithoutDevptsIsNamed() throws Exception {
        try (var container = Container.bare().lower(SLASH).start("/bin/sleep", "1000")) {
            var refused = assertThrows(
                    ContainerException.class, () -> start(Container.bare().join(container, Namespace.MOUNT), "true"));
            assertTrue(refused.getMessage().contains("leave the terminal out"), refused.getMessage());
        }
    }

    @Test
    void whatAHostileContainerHasOnDevPtsIsNotOpened() throws Exception {
        var builder = overHost()
                .addCapabilities(dev.caisson.spec.Capability.SYS_ADMIN)
                .seccompUnconfined();
        for (String attack : List.of(
                "mount -t tmpfs none /dev/pts; mkfifo /dev/pts/ptmx",
                "mkdir /new; mount -t tmpfs none /new; mkfifo /new/ptmx; mount --bind /new/ptmx /dev/pts/ptmx")) {
            try (var container = builder.start("/bin/sh", "-c", attack + "; echo ready; exec sleep 1000")) {
                assertEquals("ready\n", new String(container.stdout().readNBytes(6), StandardCharsets.UTF_8));
                var joining = Container.bare().join(container, Namespace.MOUNT).timeout(Duration.ofSeconds(10));
                assertThrows(ContainerException.class, () -> start(joining, "true"));
            }
        }
    }

    @Test
    void nothingIsLostAtTheEnd() throws Exception {
        for (int i = 0; i < 20; i++) {
            String shown = shown(overHost(), "seq 1 20000");
            assertEquals(20_000, shown.lines().count());
            assertTrue(shown.endsWith("\n20000\n"));
        }
    }

    @Test
    void whatAppearedLastCanBeReadAfterTheEnd() throws Exception {
        try (var container = start(overHost(), "echo last words")) {
            assertTrue(container.waitFor().isSuccess());
            assertEquals("last words\n", new Typist(container).toTheEnd());
        }
    }

    @Test
    void itEndsWhenNobodyHasItOpenThoughTheCommandRuns() throws Exception {
        try (var container = start(overHost(), "echo bye; exec </dev/null >/dev/null 2>&1; exec sleep 1000")) {
            assertEquals("bye\n", new Typist(container).toTheEnd());
            assertTrue(container.isAlive());
        }
    }

    @Test
    void rawItLetsEveryByteThrough() throws Exception {
        byte[] all = new byte[256];
        for (int i = 0; i < all.length; i++) {
            all[i] = (byte) i;
        }
        try (var container = start(overHost(), "echo ready; head -c 256; read line; echo $line")) {
            var terminal = container.terminal();
            assertTrue(terminal.isEchoing());
            assertEquals("ready\r\n", new String(container.stdout().readNBytes(7), StandardCharsets.UTF_8));
            terminal.raw();
            assertFalse(terminal.isEchoing());
            container.stdin().write(all);
            assertArrayEquals(all, container.stdout().readNBytes(all.length));
            terminal.cooked();
            assertTrue(terminal.isEchoing());
            container.stdin().write("typed\r".getBytes(StandardCharsets.UTF_8));
            String screen = new Typist(container).toTheEnd();
            assertTrue(screen.endsWith("typed\ntyped\n"), screen);
            assertEquals(new Exit.Exited(0), container.waitFor());
            assertFalse(terminal.isEchoing());
        }
    }

    @Test
    void aPasswordIsNotEchoed() throws Exception {
        try (var container =
                start(overHost(), "stty -echo; echo password:; read word; stty echo; echo its length is ${#word}")) {
            var person = new Typist(container);
            person.await("password:");
            assertFalse(container.terminal().isEchoing());
            person.type("secret\n");
            assertEquals("password:\nits length is 6\n", person.toTheEnd());
        }
    }

    @Test
    void muchThatIsTypedWaitsForItsReader() throws Exception {
        byte[] line = new byte[4000];
        Arrays.fill(line, (byte) 'x');
        line[line.length - 1] = '\n';
        try (var container = start(overHost(), "stty -echo; echo ready; sleep 0.3; wc -c; exit 6")) {
            var person = new Typist(container);
            person.await("ready");
            for (int i = 0; i < 100; i++) {
                container.stdin().write(line);
            }
            container.stdin().close();
            assertEquals("ready\n400000\n", person.toTheEnd());
            assertEquals(new Exit.Exited(6), container.waitFor());
        }
    }

    @Test
    void whoTypesMoreThanNobodyReadsIsTold() throws Exception {
        try (var container =
                start(overHost(), "stty raw; echo ready; read x; exec </dev/null >/dev/null 2>&1; exec sleep 1000")) {
            var person = new Typist(container);
            person.await("ready");
            person.type("line\n");
            var _ = person.toTheEnd();
            byte[] much = new byte[1 << 20];
            var refused =
                    assertThrows(IOException.class, () -> container.stdin().write(much));
            assertTrue(refused.getMessage().contains("EIO"), refused.getMessage());
            container.stdin().close();
            assertTrue(container.isAlive());
        }
    }

    @Test
    void aSupervisedCommandStartedOnAVirtualThreadHasOne() throws Exception {
        var policy = Seccomp.standard().first(rules -> rules.supervise(Syscall.EXECVE, _ -> Reply.proceed()));
        var shown = CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return shown(overHost().seccomp(policy), "stty size");
                    } catch (Exception failed) {
                        throw new IllegalStateException(failed);
                    }
                },
                task -> Thread.ofVirtual().start(task));
        assertEquals("17 91\n", shown.get());
    }

    @Test
    void readersOnVirtualThreadsHoldNoCarrier() throws Exception {
        int many = 3 * Runtime.getRuntime().availableProcessors();
        var containers = new ArrayList<Container>();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var lines = new ArrayList<CompletableFuture<Integer>>();
            for (int i = 0; i < many; i++) {
                var container = start(overHost(), "read x; echo $x");
                containers.add(container);
                lines.add(CompletableFuture.supplyAsync(
                        () -> {
                            try {
                                return container.stdout().readAllBytes().length;
                            } catch (IOException failed) {
                                throw new java.io.UncheckedIOException(failed);
                            }
                        },
                        executor));
            }
            // All wait; this one gets a carrier all the same.
            assertEquals(7, CompletableFuture.supplyAsync(() -> 7, executor).get());
            for (var container : containers) {
                container.stdin().write("hello\n".getBytes(StandardCharsets.UTF_8));
            }
            for (var line : lines) {
                assertEquals("hello\r\nhello\r\n".length(), line.get());
            }
        } finally {
            for (var container : containers) {
                container.close();
            }
        }
    }

    @Test
    void closingTheContainerEndsWhoeverReadsItsTerminal() throws Exception {
        var container = start(overHost(), "exec sleep 1000");
        var person = new Typist(container);
        container.close();
        assertEquals("", person.toTheEnd());
        assertThrows(IOException.class, () -> container.stdin().write('x'));
    }

    @Test
    void stoppingHangsUpWhatHasNoHandler() throws Exception {
        try (var container = start(overHost().init(), "exec sleep 1000")) {
            assertEquals(new Exit.Killed(Signal.SIGTERM, Exit.Cause.STOPPED), container.stop(Duration.ofSeconds(10)));
        }
    }

    @Test
    void onlyThePlaceOfATerminalIsItsThreeStreams() {
        var refused = assertThrows(
                IllegalStateException.class,
                () -> overHost().stdin(Stdio.terminal(80, 24)).start("true"));
        assertEquals(
                "Terminal[columns=80, rows=24] contradicts stdout to Pipe[]: a terminal is all three streams of its"
                        + " command; call terminal(80, 24) alone",
                refused.getMessage());
        var captured = assertThrows(
                IllegalStateException.class,
                () -> overHost().terminal(80, 24).stderr(Stdio.memory(100)).start("true"));
        assertTrue(captured.getMessage().contains("stderr to Memory[cap=100"), captured.getMessage());
        var sizes = assertThrows(
                IllegalStateException.class,
                () -> overHost().terminal(80, 24).stderr(Stdio.terminal(80, 25)).start("true"));
        assertTrue(sizes.getMessage().contains("stderr to Terminal[columns=80, rows=25]"), sizes.getMessage());
        assertThrows(
                IllegalStateException.class, () -> overHost().terminal(80, 24).run("true"));
        assertThrows(
                IllegalStateException.class, () -> overHost().terminal(80, 24).capture("true"));
        assertThrows(IllegalArgumentException.class, () -> Stdio.terminal(0, 24));
        assertThrows(IllegalArgumentException.class, () -> overHost().terminal(80, 65_536));
        assertThrows(IllegalArgumentException.class, () -> overHost().descriptor(3, Stdio.terminal(80, 24)));
    }

    @Test
    void whoHasNoTerminalIsTold() throws Exception {
        try (var container = overHost().start("true")) {
            var refused = assertThrows(IllegalStateException.class, container::terminal);
            assertTrue(refused.getMessage().contains("terminal(columns, rows)"), refused.getMessage());
        }
    }

    @Test
    void aProgramThatIsNotThereIsNamedAsWithoutATerminal() {
        var refused = assertThrows(
                ContainerException.class, () -> overHost().terminal(80, 24).start("nosuch"));
        assertTrue(refused.getMessage().contains("no directory of PATH"), refused.getMessage());
    }

    /** What the host allows is shared by all instances of devpts. */
    @Test
    void aContainerThatTakesAllTerminalsLeavesSomeToOthers() throws Exception {
        Need.PYTHON3.orSkip();
        String greedy =
                "import os, sys, time\nn = 0\ntry:\n    while n < 5000:\n        os.open('/dev/ptmx', os.O_RDWR)\n"
                        + "        n += 1\nexcept OSError: pass\nprint('.', flush=True)\ntime.sleep(1000)";
        try (var container = Container.sandbox()
                .lower(Path.of("/"))
                .rlimit(Rlimit.of(Rlimit.Resource.NOFILE, 6000, 6000))
                .start(Need.PYTHON3.path().toString(), "-c", greedy)) {
            assertEquals('.', container.stdout().read());
            try (var other =
                    Container.sandbox().lower(Path.of("/")).terminal(80, 24).start("/usr/bin/tty")) {
                assertTrue(other.waitFor().isSuccess());
            }
        }
    }

    @Test
    void thePlanShowsHowItIsMade() throws Exception {
        String plan = overHost().terminal(80, 24).explain("sh").toString();
        for (String call : List.of("TIOCGPTPEER", "\"console\"", "{ws_row=24, ws_col=80}", "TIOCSCTTY")) {
            assertTrue(plan.contains(call), plan);
        }
        assertTrue(bare().terminal(80, 24).explain("sh").toString().contains("/dev/ptmx"));
    }

    /** The one terminal of a JVM, and what a command that inherits it can do to it. */
    @Test
    void aCommandCannotTypeIntoATerminalThatItInherits() throws Exception {
        Need.PYTHON3.orSkip();
        var java = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Inheriting.class.getName()));
        try (var jvm = bare().terminal(80, 24).start(java)) {
            String screen = new Typist(jvm).toTheEnd();
            assertEquals(new Exit.Exited(0), jvm.waitFor(), screen);
            // Linux may refuse it to everybody since 6.2; then this shows no more than that.
            String own = mayType() ? "own: typed\n" : "own: refused\n";
            assertEquals(
                    own + "own: controlling\ninherited: refused\ninherited: not controlling\n",
                    screen.replaceFirst("(?s)^.*?own:", "own:"));
        }
    }

    private static boolean mayType() throws IOException {
        Path setting = Path.of("/proc/sys/dev/tty/legacy_tiocsti");
        return !Files.exists(setting) || Files.readString(setting).strip().equals("1");
    }

    static final class Inheriting {
        /** TIOCSTI is tried in a terminal of its own first, for comparison. */
        private static final String TRY = """
                import fcntl, sys
                try:
                    fcntl.ioctl(0, 0x5412, b'x')
                    print(sys.argv[1] + ": typed")
                except OSError as refused:
                    print(sys.argv[1] + ": refused")
                try:
                    open('/dev/tty').close()
                    print(sys.argv[1] + ": controlling")
                except OSError:
                    print(sys.argv[1] + ": not controlling")
                """;

        private Inheriting() {}

        public static void main(String[] args) throws Exception {
            try (var own = overHost().terminal(80, 24).start("python3", "-c", TRY, "own")) {
                System.out.print(new Typist(own).toTheEnd());
            }
            System.exit(overHost().run("python3", "-c", TRY, "inherited").shellCode());
        }
    }
}
