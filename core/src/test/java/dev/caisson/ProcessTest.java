// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.Samples.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Signal;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@NeedsRoot
@ExtendWith(NoLeaks.class)
class ProcessTest {
    @Test
    void theExitCodeIsTheCommands() throws Exception {
        assertEquals(new Exit.Exited(3), overHost().run("sh", "-c", "exit 3"));
    }

    @Test
    void aSignalIsTold() throws Exception {
        assertEquals(
                new Exit.Killed(Signal.SIGSEGV, Exit.Cause.SIGNAL),
                Container.bare().run("/bin/sh", "-c", "kill -SEGV $$"));
    }

    @Test
    void failureIsAnAnswerUntilItIsAskedToThrow() throws Exception {
        var output = overHost().capture("sh", "-c", "echo reason >&2; exit 1");
        var thrown = assertThrows(ExitException.class, output::orThrow);
        assertTrue(thrown.getMessage().contains("reason"), thrown.getMessage());
        assertEquals(new Exit.Exited(1), thrown.exit());
    }

    @Test
    void aCommandThatIsNowhereInThePathIsNamed() {
        var failure = assertThrows(ContainerException.class, () -> overHost().run("no-such-command"));
        assertTrue(failure.getMessage().contains("find no-such-command in PATH="), failure.getMessage());
        assertTrue(failure.getMessage().contains("ENOENT"), failure.getMessage());
    }

    @Test
    void aCommandThatMayNotBeExecutedIsNotCalledMissing() {
        var failure = assertThrows(
                ContainerException.class,
                () -> overHost().file("/usr/bin/a-text-file", "text").run("a-text-file"));
        assertTrue(failure.getMessage().contains("EACCES"), failure.getMessage());
    }

    @Test
    void theEnvironmentIsNotTheHosts() throws Exception {
        assertEquals(
                "HOME=/root NAME=value PATH=" + "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                overHost()
                        .environment("NAME", "value")
                        .capture("env")
                        .orThrow()
                        .text()
                        .lines()
                        .sorted()
                        .reduce((a, b) -> a + " " + b)
                        .orElse(""));
    }

    @Test
    void argumentsArriveAsTheyAre() throws Exception {
        assertEquals(
                "a b|\"$x\"|ü",
                overHost()
                        .capture("printf", "%s|%s|%s", "a b", "\"$x\"", "ü")
                        .orThrow()
                        .text());
    }

    @Test
    void argv0IsWhatTheCommandSeesAsItsName() throws Exception {
        assertEquals(
                "other",
                overHost()
                        .argv0("other")
                        .capture("/bin/sh", "-c", "echo $0")
                        .orThrow()
                        .text());
    }

    @Test
    void itWorksInItsDirectory() throws Exception {
        assertEquals("/usr/lib", sh(overHost().workingDirectory("/usr/lib"), "pwd"));
    }

    @Test
    void usersAreThoseOfTheContainer() throws Exception {
        var container =
                overHost().file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n").user(12, 34);
        assertEquals("12 34 34", sh(container, "echo $(id -u) $(id -g) $(id -G)"));
        assertEquals("nobody", sh(overHost().user("nobody"), "id -un"));
    }

    @Test
    void supplementaryGroupsAreGiven() throws Exception {
        assertEquals("5 7 9", sh(overHost().user(3, 5).groups("7", "9"), "id -G"));
    }

    @Test
    void anUnknownUserIsRefused() {
        var failure = assertThrows(
                IOException.class, () -> overHost().user("nobody-here").run("true"));
        assertTrue(failure.getMessage().contains("nobody-here"), failure.getMessage());
    }

    @Test
    void limitsOfTheProcessAreSet() throws Exception {
        var container = overHost()
                .umask(077)
                .nice(5)
                .oomScoreAdj(321)
                .rlimit(Rlimit.of(Rlimit.Resource.NOFILE, 99, 100))
                .rlimit(Rlimit.of(Rlimit.Resource.CORE, 0));
        assertEquals(
                "0077 5 321 99 100 0",
                sh(
                        container,
                        "echo $(umask) $(nice) $(cat /proc/self/oom_score_adj) $(ulimit -Sn) $(ulimit -Hn) $(ulimit -c)"));
    }

    @Test
    void onlyTheStandardStreamsAreOpen() throws Exception {
        assertEquals("0 1 2", sh(overHost(), "ls /proc/$$/fd; true").replace('\n', ' '));
    }

    @Test
    void furtherDescriptorsArePassedOn() throws Exception {
        var container = overHost()
                .descriptor(5, Stdio.bytes("five".getBytes(StandardCharsets.UTF_8)))
                .descriptor(3, Stdio.bytes("three".getBytes(StandardCharsets.UTF_8)));
        assertEquals("three five", sh(container, "echo $(cat <&3) $(cat <&5)"));
    }

    @Test
    void noSignalIsBlockedOrHandled() throws Exception {
        String status = overHost().capture("cat", "/proc/self/status").orThrow().text();
        assertTrue(status.contains("SigBlk:\t0000000000000000"), status);
        assertTrue(status.contains("SigCgt:\t0000000000000000"), status);
    }

    @Test
    void itLeadsASessionOfItsOwn() throws Exception {
        assertEquals("1 1", sh(overHost(), "cut -d' ' -f5,6 /proc/$$/stat"));
    }

    private static long descriptors() throws IOException {
        try (var open = Files.list(Path.of("/proc/self/fd"))) {
            return open.count();
        }
    }

    @Test
    void anEndedCommandHoldsNoDescriptorAndItsOutputCanStillBeRead() throws Exception {
        var _ = Container.bare().run("/bin/true");
        long before = descriptors();
        var ended = Container.bare().start("/bin/sh", "-c", "echo out; echo err >&2; exit 4");
        assertEquals(new Exit.Exited(4), ended.waitFor());
        assertEquals(before, descriptors());
        assertEquals("out\n", new String(ended.stdout().readAllBytes(), StandardCharsets.UTF_8));
        assertEquals("err\n", new String(ended.stderr().readAllBytes(), StandardCharsets.UTF_8));
        assertThrows(IOException.class, () -> ended.stdin().write(1));
    }

    @Test
    void whatAProcessThatOutlivesTheCommandWritesIsStillRead() throws Exception {
        try (var container = Container.bare().start("/bin/sh", "-c", "(sleep 0.3; echo late) & echo early")) {
            assertEquals(new Exit.Exited(0), container.waitFor());
            assertEquals("early\nlate\n", new String(container.stdout().readAllBytes(), StandardCharsets.UTF_8));
        }
    }
}
