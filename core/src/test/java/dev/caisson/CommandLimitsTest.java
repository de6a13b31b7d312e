// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Limits and an account of a command's own, beside those of its container. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class CommandLimitsTest {
    private static OutOfMemory outOfMemory(Exit exit) {
        if (!(exit instanceof Exit.Killed(var _, Exit.OutOfMemory(var event)))) {
            throw new AssertionError(exit);
        }
        return event;
    }

    @Test
    void whatTakesTooMuchForItsOwnLimitEndsAlone() throws Exception {
        for (var builder :
                List.of(overHost(), overHost().memoryMax(400, MB), overHost().pidsMax(100))) {
            try (var container = builder.start("/bin/sleep", "1000")) {
                var hungry = container.command("tail", "/dev/zero").memoryMax(32, MB);
                var event = outOfMemory(hungry.run());
                assertEquals(OutOfMemory.Scope.OWN, event.scope());
                assertEquals(MB.toBytes(32), event.limitBytes().orElseThrow());
                assertTrue(container.isAlive());
                assertTrue(container.command("true").run().isSuccess());
            }
        }
    }

    @Test
    void theContainersLimitHoldsForItToo() throws Exception {
        try (var container = overHost().memoryMax(48, MB).start("/bin/sleep", "1000")) {
            for (var command : List.of(
                    container.command("tail", "/dev/zero"),
                    container.command("tail", "/dev/zero").memoryMax(2000, MB))) {
                var event = outOfMemory(command.run());
                assertEquals(OutOfMemory.Scope.ABOVE, event.scope());
                assertEquals(MB.toBytes(48), event.limitBytes().orElseThrow());
            }
        }
        try (var container = overHost().pidsMax(4).start("/bin/sleep", "1000")) {
            var many = container.command(
                    "/bin/sh", "-c", "for i in 1 2 3 4 5 6; do sleep 1 & done 2>/dev/null; wait; echo end");
            var output = many.capture();
            assertTrue(output.errorText().contains("fork") || !output.exit().isSuccess(), output.toString());
        }
    }

    @Test
    void whatItUsesIsCountedForItself() throws Exception {
        try (var container = overHost().memoryMax(400, MB).start("/bin/sleep", "1000")) {
            String script = "x=$(head -c 20000000 /dev/zero | tr '\\0' x); echo ready; read go; echo $x > /dev/null";
            try (var command = container
                    .command("/bin/sh", "-c", script)
                    .memoryMax(200, MB)
                    .pidsMax(10)
                    .start()) {
                assertEquals('r', command.stdout().read());
                long own = command.usage().memoryBytes().orElseThrow();
                assertTrue(own > 20_000_000, "" + own);
                assertTrue(container.usage().memoryBytes().orElseThrow() >= own);
                assertEquals(1, command.usage().pids().orElseThrow().current());
                command.stdin().write('\n');
                command.stdin().close();
                assertTrue(command.waitFor().isSuccess());
                assertTrue(command.usage().memoryPeakBytes().orElseThrow() > 20_000_000);
            }
            try (var idle =
                    container.command("/bin/sleep", "1000").memoryMax(200, MB).start()) {
                assertTrue(idle.usage().memoryBytes().orElseThrow() < 20_000_000);
            }
        }
    }

    private static List<String> cgroups(long pid) throws IOException {
        return Files.readAllLines(Path.of("/proc/" + pid + "/cgroup"));
    }

    @Test
    void itIsInTheContainersCgroupBeforeItRuns() throws Exception {
        try (var container = overHost().memoryMax(400, MB).pidsMax(100).start("/bin/sleep", "1000");
                var command = container.command("/bin/sleep", "1000").start()) {
            var outer = cgroups(container.pid());
            var inner = cgroups(command.pid());
            int within = 0;
            for (int i = 0; i < outer.size(); i++) {
                String path = outer.get(i);
                assertTrue(inner.get(i).equals(path) || inner.get(i).startsWith(path + "/"), inner.get(i));
                within += inner.get(i).startsWith(path + "/") && path.contains("/caisson-") ? 1 : 0;
            }
            assertTrue(within > 0, inner.toString());
        }
    }

    @Test
    void aFrozenContainerFreezesItAndTakesNoMore() throws Exception {
        try (var container = overHost().limits(Limits.none()).start("/bin/sleep", "1000");
                var command = container
                        .command("/bin/sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; done")
                        .start()) {
            var out = command.stdout();
            assertEquals('1', out.read());
            container.freeze();
            while (out.available() > 0) {
                var _ = out.readNBytes(out.available());
            }
            Thread.sleep(50);
            assertEquals(0, out.available());
            var refused = assertThrows(
                    ContainerException.class, () -> container.command("true").run());
            assertTrue(refused.getMessage().contains("thaw()"), refused.getMessage());
            container.thaw();
            assertTrue(out.read() > 0);
            assertTrue(container.command("true").run().isSuccess());
            container.freeze();
        }
    }

    @Test
    @SuppressWarnings("try") // To close it early is what this is about.
    void aCommandOfAFrozenContainerIsEnded() throws Exception {
        try (var container = overHost().limits(Limits.none()).start("/bin/sleep", "1000")) {
            try (var command = container.command("/bin/sleep", "1000").start()) {
                container.freeze();
                command.close();
                assertFalse(command.isAlive());
            }
            container.thaw();
            assertTrue(container.isAlive());
        }
    }

    @Test
    void itsProcessorTimeIsBounded() throws Exception {
        try (var container = overHost().memoryMax(400, MB).start("/bin/sleep", "1000")) {
            var exit = container
                    .command("/bin/sh", "-c", "while :; do :; done")
                    .cpuTimeMax(Duration.ofMillis(300))
                    .timeout(Duration.ofSeconds(60))
                    .run();
            assertTrue(exit instanceof Exit.Killed(var _, var cause) && cause == Exit.Cause.CPU_TIME, exit.toString());
            assertTrue(container.isAlive());
        }
    }
}
