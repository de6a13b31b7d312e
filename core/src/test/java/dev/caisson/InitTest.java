// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.Samples.sh;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Signal;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Who is PID 1: an init where signals and orphans would be lost on the command. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
@Timeout(60)
class InitTest {
    private static final Duration LONG = Duration.ofMinutes(10);

    private static ContainerBuilder sandbox() {
        return Container.sandbox().lower(Path.of("/"));
    }

    @Test
    void aSandboxHasAnInitAndACommandThatLeadsItsSession() throws Exception {
        // pid, parent, process group, session
        assertEquals(
                "caisson-init 2 1 2 2", sh(sandbox(), "echo $(cat /proc/1/comm) $(cut -d' ' -f1,4-6 /proc/$$/stat)"));
        assertEquals("sh 1", sh(sandbox().withoutInit(), "echo $(cat /proc/1/comm) $$"));
        assertEquals("sh 1", sh(overHost(), "echo $(cat /proc/1/comm) $$"));
        assertEquals("caisson-init 2", sh(overHost().init(), "echo $(cat /proc/1/comm) $$"));
        assertEquals("caisson-init 2", sh(sandbox().withoutInit().init(), "echo $(cat /proc/1/comm) $$"));
    }

    @Test
    void aSandboxThatSharesAPidNamespaceHasNoInit() throws Exception {
        assertTrue(Integer.parseInt(sh(sandbox().host(Namespace.USER).host(Namespace.PID), "echo $$")) > 2);
    }

    @Test
    void stoppingASandboxIsGentleWithProgramsThatHandleNoSignal() throws Exception {
        try (var container = sandbox().start("sleep", "1000")) {
            assertEquals(new Exit.Killed(Signal.SIGTERM, Exit.Cause.STOPPED), container.stop(LONG));
        }
    }

    @Test
    void theCommandOfASandboxEndsByTheSignalsThatLimitsSend() throws Exception {
        assertEquals(
                new Exit.Killed(Signal.SIGXCPU, Exit.Cause.SIGNAL),
                sandbox().rlimit(Rlimit.of(Rlimit.Resource.CPU, 1, 30)).run("sh", "-c", "while :; do :; done"));
        assertEquals(
                new Exit.Killed(Signal.SIGABRT, Exit.Cause.SIGNAL),
                sandbox().rlimit(Rlimit.of(Rlimit.Resource.CORE, 0)).run("sh", "-c", "kill -ABRT $$; exit 3"));
    }

    /** Stops itself as one that is traced, by its parent, whom wait4(2) tells of it as of an end. */
    private static final String TRACED = "import ctypes, os, signal; print(ctypes.CDLL(None).ptrace(0, 0, 0, 0),"
            + " flush=True); os.kill(os.getpid(), signal.SIGUSR1); os._exit(5)";

    @Test
    void aCommandThatIsTracedByItsInitHasNotEndedWhenItStops() throws Exception {
        Need.PYTHON3.orSkip();
        String python = Need.PYTHON3.path().toString();
        try (var container = sandbox().start(python, "-c", TRACED)) {
            assertEquals('0', container.stdout().read());
            assertEquals(Optional.empty(), container.waitFor(Duration.ofMillis(300)));
            assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.STOPPED), container.stop(Duration.ZERO));
        }
        try (var container = overHost().start("sleep", "1000")) {
            assertEquals(
                    new Exit.Killed(Signal.SIGKILL, Exit.Cause.TIMEOUT),
                    container
                            .command(python, "-c", TRACED)
                            .stdout(Stdio.discard())
                            .timeout(Duration.ofMillis(500))
                            .run());
            assertTrue(container.isAlive());
        }
    }

    @Test
    void exitCodesInputAndTimeoutsPassAnInitUnchanged() throws Exception {
        assertEquals(new Exit.Exited(77), sandbox().run("sh", "-c", "exit 77"));
        assertEquals(
                "typed",
                sandbox()
                        .stdin(Stdio.bytes("typed\n".getBytes(UTF_8)))
                        .capture("cat")
                        .orThrow()
                        .text());
        assertEquals(
                new Exit.Killed(Signal.SIGKILL, Exit.Cause.TIMEOUT),
                sandbox().timeout(Duration.ofMillis(200)).run("sh", "-c", "sleep 1000 & sleep 1000"));
        assertThrows(ContainerException.class, () -> sandbox().run("/no/such/program"));
    }

    @Test
    void theCommandBehindAnInitIsStoppedAndContinued() throws Exception {
        try (var container = sandbox().start("sleep", "1000")) {
            assertTrue(container.signal(Signal.SIGSTOP));
            awaitState(container, "T");
            assertTrue(container.isAlive());
            assertTrue(container.signal(Signal.SIGCONT));
            awaitState(container, "S");
            assertTrue(container.signal(Signal.SIGKILL));
            assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.SIGNAL), container.waitFor());
            assertFalse(container.signal(Signal.SIGSTOP));
        }
    }

    private static void awaitState(Container container, String state) throws Exception {
        Path init = Path.of("/proc/" + container.pid());
        assertNotEquals("T", state(init));
        String command = Files.readString(init.resolve("task/" + container.pid() + "/children"))
                .strip();
        while (!state(Path.of("/proc/" + command)).equals(state)) {
            Thread.sleep(10);
        }
    }

    private static String state(Path process) throws Exception {
        String stat = Files.readString(process.resolve("stat"));
        return stat.substring(stat.lastIndexOf(')') + 2).split(" ")[0];
    }

    @Test
    void aLimitOfProcessesThatHasNoRoomForTheInitSaysSo() throws Exception {
        assertEquals(new Exit.Exited(0), sandbox().pidsMax(2).run("true"));
        var refused = assertThrows(
                ContainerException.class, () -> sandbox().pidsMax(1).run("true"));
        assertTrue(refused.getMessage().contains("withoutInit()"), refused.getMessage());
        assertEquals(new Exit.Exited(0), sandbox().pidsMax(1).withoutInit().run("true"));
    }

    @Test
    void aSandboxOfAnOrdinaryUserHasAnInitToo(@TempDir Path directory) throws Exception {
        var jvm = JavaAs.user(65534, 65534, directory).run(Ordinary.class.getName());
        assertEquals("caisson-init 2\nKilled[signal=SIGTERM, reason=STOPPED]", jvm.output());
    }

    static final class Ordinary {
        private Ordinary() {}

        public static void main(String[] args) throws Exception {
            System.out.println(sh(sandbox(), "echo $(cat /proc/1/comm) $$"));
            try (var container = sandbox().start("sleep", "1000")) {
                System.out.println(container.stop(LONG));
            }
        }
    }
}
