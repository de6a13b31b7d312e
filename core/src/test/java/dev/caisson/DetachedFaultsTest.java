// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.linux.ByteUnit.KB;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Signal;
import dev.caisson.spec.LogFile;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Stdio;
import dev.caisson.supervise.StateDirectory;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Detached containers where something is in the way: full file systems, foreign files, many processes that die slowly. */
@NeedsRoot
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DetachedFaultsTest {
    @TempDir
    Path directory;

    private Path small;

    @BeforeEach
    void keepApart() throws Exception {
        System.setProperty(StateDirectory.PROPERTY, directory.resolve("state").toString());
        small = Files.createDirectory(directory.resolve("small"));
    }

    @AfterEach
    void removeAll() throws Exception {
        for (var entry : Containers.list()) {
            Containers.remove(entry.name());
        }
        System.clearProperty(StateDirectory.PROPERTY);
    }

    private static void sh(String script) throws Exception {
        assertEquals(
                0, new ProcessBuilder("sh", "-c", script).inheritIO().start().waitFor(), script);
    }

    private static void say(Container container, String text) throws Exception {
        container.stdin().write(text.getBytes(StandardCharsets.UTF_8));
        container.stdin().flush();
        Thread.sleep(200);
    }

    private static List<String> lines(String name) throws Exception {
        var lines = new ArrayList<String>();
        Containers.log(name, false, o -> lines.add(new String(o.bytes(), StandardCharsets.UTF_8).strip()));
        return lines;
    }

    @Test
    void whoIsKilledBesideProcessesThatLiveLongerIsStillSeenToEnd() throws Exception {
        var script =
                "trap '' TERM; i=0; while [ $i -lt 60 ]; do sleep 600 & i=$((i+1)); done; echo ready; wait; sleep 600";
        for (int round = 0; round < 3; round++) {
            try (var container = overHost()
                    .host(Namespace.PID)
                    .memoryMax(200, MB)
                    .name("many-" + round)
                    .detached()
                    .start("/bin/sh", "-c", script)) {
                assertEquals('r', container.stdout().read());
                assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.STOPPED), container.stop(Duration.ZERO));
            }
        }
    }

    @Test
    void aLogThatCouldNotBeRotatedGoesOnWhenThereIsRoom() throws Exception {
        sh("mount -t tmpfs -o size=4m,nr_inodes=4 none " + small);
        try (var container = overHost()
                .stdin(Stdio.pipe())
                .stdout(Stdio.log(LogFile.json(small.resolve("log")).rotated(4, KB, 2)))
                .name("inodes")
                .detached()
                .start("/bin/cat")) {
            sh("touch " + small + "/a " + small + "/b");
            for (int i = 0; i < 3; i++) {
                say(container, "x".repeat(3000) + "\n");
            }
            sh("rm " + small + "/a " + small + "/b");
            say(container, "later\n");
            container.stdin().close();
            assertEquals(new Exit.Exited(0), container.waitFor());
            assertEquals("later", lines("inodes").getLast());
        } finally {
            sh("umount -l " + small);
        }
    }

    @Test
    void aRecordThatWasWrittenInPartSpoilsItselfAlone() throws Exception {
        sh("mount -t tmpfs -o size=64k none " + small);
        try (var container = overHost()
                .stdin(Stdio.pipe())
                .stdout(Stdio.log(LogFile.json(small.resolve("log"))))
                .name("full")
                .detached()
                .start("/bin/cat")) {
            say(container, "first\n");
            sh("head -c 100k /dev/zero 2>/dev/null > " + small + "/filler || true");
            say(container, "x".repeat(8000) + "\n");
            sh("rm " + small + "/filler");
            say(container, "good\n");
            say(container, "better\n");
            container.stdin().close();
            assertEquals(new Exit.Exited(0), container.waitFor());
            assertEquals(List.of("first", "good", "better"), lines("full"));
        } finally {
            sh("umount -l " + small);
        }
    }

    @Test
    void aFifoInThePlaceOfALogIsAnErrorAndNotWaitedFor() throws Exception {
        sh("mkfifo " + small + "/log");
        assertThrows(
                ContainerException.class,
                () -> overHost()
                        .stdout(Stdio.log(LogFile.json(small.resolve("log"))))
                        .name("fifo")
                        .detached()
                        .start("/bin/true"));
        assertTrue(Containers.list().isEmpty());
    }

    /** To its parent, which traces it then, each stop is reported as an end is. */
    @Test
    void aTracedCommandThatStopsHasNotEnded() throws Exception {
        Need.PYTHON3.orSkip();
        try (var container = overHost()
                .name("traced")
                .detached()
                .start(
                        Need.PYTHON3.path().toString(),
                        "-c",
                        "import ctypes, os, signal; ctypes.CDLL(None).ptrace(0, 0, 0, 0);"
                                + " os.kill(os.getpid(), signal.SIGUSR1)")) {
            assertEquals(Optional.empty(), container.waitFor(Duration.ofMillis(500)));
            assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.STOPPED), container.stop(Duration.ZERO));
        }
    }

    @Test
    void aFileAmongTheContainersIsNone() throws Exception {
        assertTrue(Containers.list().isEmpty());
        Files.writeString(directory.resolve("state/notes"), "");
        assertTrue(Containers.list().isEmpty());
    }
}
