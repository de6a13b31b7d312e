// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.spec.Stdio;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Output kept in memory, and pipes that nobody reads. */
@NeedsRoot
class CaptureTest {
    @Test
    @ExtendWith(NoLeaks.class)
    void whatAStartedContainerWroteToMemoryIsReadAfterItsEnd() throws Exception {
        try (var container = overHost()
                .stdout(Stdio.memory(3))
                .stderr(Stdio.memory(100))
                .start("sh", "-c", "echo out; echo err >&2")) {
            assertArrayEquals(
                    "out".getBytes(StandardCharsets.UTF_8), container.stdout().readAllBytes());
            assertEquals("err\n", new String(container.stderr().readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    @Test
    @ExtendWith(NoLeaks.class)
    void memoryThatNobodyCouldReadIsRefused() {
        var builder = overHost().stdout(Stdio.memory(1000));
        var refused = assertThrows(IllegalStateException.class, () -> builder.run("true"));
        assertTrue(refused.getMessage().startsWith("stdout to Memory"), refused.getMessage());
        assertTrue(refused.getMessage().contains("call capture"), refused.getMessage());
    }

    @Test
    void outputThatTheHeapDoesNotHoldIsAnExceptionAndNotHalfOfIt() throws Exception {
        var jvm = JavaAs.oneself().with("-Xmx32m", "-XX:+UseSerialGC").run(SmallHeap.class.getName());
        assertEquals(0, jvm.code(), jvm.output());
        var lines = jvm.output().lines().toList();
        assertEquals(
                3,
                lines.stream()
                        .filter(line -> line.startsWith("refused: the JVM has no memory for the container's output"))
                        .count(),
                jvm.output());
        assertTrue(jvm.output().endsWith("still works"), jvm.output());
    }

    @Test
    void endedContainersThatNobodyClosesHoldNoPipe() throws Exception {
        try (var _ = overHost().start("true")) {
            // The first one brings what stays.
        }
        long before = pipes();
        var open = new ArrayList<Future<Container>>();
        try (var threads = Executors.newFixedThreadPool(8)) {
            for (int i = 0; i < 200; i++) {
                open.add(threads.submit(() -> {
                    var container = overHost().start("echo", "unread");
                    var _ = container.waitFor();
                    return container;
                }));
            }
        }
        try {
            assertEquals(before, pipes());
            for (var container : open) {
                assertEquals("unread\n", new String(container.get().stdout().readAllBytes(), StandardCharsets.UTF_8));
            }
        } finally {
            for (var container : open) {
                container.get().close();
            }
        }
    }

    /** A process that outlives its command has the pipe open, as a child of another launch has until its execve. */
    @Test
    void aPipeThatOutlivedItsCommandIsLetGoWithItsLastWriter() throws Exception {
        long before = pipes();
        try (var container = Container.bare().start("/bin/sh", "-c", "(sleep 0.5; echo late) & echo early")) {
            assertEquals(new Exit.Exited(0), container.waitFor());
            assertTrue(pipes() > before);
            for (int i = 0; i < 500 && pipes() > before; i++) {
                Thread.sleep(10);
            }
            assertEquals(before, pipes());
            assertEquals("early\nlate\n", new String(container.stdout().readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    /** Each child is cloned from the JVM itself and has its descriptors, until its execve. */
    @Test
    void childrenOfOtherLaunchesKeepNoPipeOfAnEndedContainer() throws Exception {
        long before = pipes();
        var open = new ConcurrentLinkedQueue<Container>();
        try (var threads = Executors.newFixedThreadPool(8)) {
            for (int i = 0; i < 400; i++) {
                var _ = threads.submit(() -> {
                    var container = Container.bare().newPid().start("/bin/true");
                    open.add(container);
                    return container.waitFor();
                });
            }
        }
        try {
            assertEquals(400, open.size());
            for (int i = 0; i < 200 && pipes() > before; i++) {
                Thread.sleep(10);
            }
            assertEquals(before, pipes());
        } finally {
            for (var container : open) {
                container.close();
            }
        }
    }

    private static long pipes() throws Exception {
        long pipes = 0;
        try (var list = Files.list(Path.of("/proc/self/fd"))) {
            for (Path fd : list.toList()) {
                if (Files.isSymbolicLink(fd)
                        && Files.readSymbolicLink(fd).toString().startsWith("pipe:")) {
                    pipes++;
                }
            }
        }
        return pipes;
    }
}
