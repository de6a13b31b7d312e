// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.spec.Limits;
import dev.caisson.linux.Signal;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Bounds of processor time, and what a whole tree of processes has used. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
@Timeout(120)
class CpuTimeTest {
    private static final Exit USED_UP = new Exit.Killed(Signal.SIGKILL, Exit.Cause.CPU_TIME);
    private static final Duration BOUND = Duration.ofMillis(400);

    private static void endsInTime(Output output) {
        assertEquals(USED_UP, output.exit());
        var used = output.usage().cpuTime().orElseThrow();
        assertTrue(used.compareTo(BOUND) >= 0, used.toString());
        // Of a machine that has much else to do: alone, it is less than 0.05 s too late.
        assertTrue(used.compareTo(BOUND.plusMillis(500)) < 0, used.toString());
    }

    @Test
    void theTimeOfAllProcessesTogetherIsBounded() throws Exception {
        for (var builder : List.of(
                overHost(),
                Container.sandbox().lower(Path.of("/")),
                Container.bare(),
                overHost().memoryMax(64, MB))) {
            endsInTime(
                    builder.cpuTimeMax(BOUND).capture("/bin/sh", "-c", "(while :; do :; done) & while :; do :; done"));
        }
    }

    @Test
    void processesThatHaveEndedCount() throws Exception {
        endsInTime(overHost().cpuTimeMax(BOUND).capture("/bin/sh", "-c", "while :; do /bin/true; done"));
    }

    @Test
    void whatItWaitsDoesNotCount() throws Exception {
        assertEquals(new Exit.Exited(0), overHost().cpuTimeMax(BOUND).run("sleep", "1"));
    }

    @Test
    void aStartedContainerAndAPreparedOneAreBoundedToo() throws Exception {
        var builder = overHost().cpuTimeMax(BOUND);
        try (var container = builder.start("/bin/sh", "-c", "while :; do :; done")) {
            assertEquals(USED_UP, container.waitFor());
            assertTrue(container.usage().cpuTime().orElseThrow().compareTo(BOUND) >= 0);
        }
        try (var prepared = builder.prepare("/bin/sh", "-c", "while :; do :; done");
                var container = prepared.start()) {
            assertEquals(USED_UP, container.waitFor());
        }
    }

    /** A further command has an account of its own, in its own cgroup. */
    @Test
    void aFurtherCommandIsBoundedAlone() throws Exception {
        try (var container = overHost().limits(Limits.none()).start("sleep", "1000")) {
            endsInTime(container
                    .command("/bin/sh", "-c", "(while :; do :; done) & while :; do :; done")
                    .cpuTimeMax(BOUND)
                    .capture());
            assertTrue(container.isAlive());
        }
    }

    @Test
    void whereThereCanBeNoCgroupThatIsSaid(@TempDir Path directory) throws Exception {
        var jvm = JavaAs.user(65534, 65534, directory).run(Ordinary.class.getName());
        assertTrue(
                jvm.output().contains("cpuTimeMax: it requires a cgroup")
                                && jvm.output().contains("rlimit(CPU)")
                        || jvm.output().equals(USED_UP.toString()),
                jvm.output());
    }

    static final class Ordinary {
        private Ordinary() {}

        public static void main(String[] args) throws Exception {
            try {
                System.out.println(overHost().cpuTimeMax(BOUND).run("/bin/sh", "-c", "while :; do :; done"));
            } catch (ContainerException refused) {
                System.out.println(refused.getMessage());
            }
        }
    }

    /** Two at once have twice as much as the largest of them. */
    @Test
    void theOutputTellsWhatTheWholeTreeUsed() throws Exception {
        String hold = "head -c 40000000 /dev/zero | tail -c 40000000 | (sleep 1; wc -c)";
        var output = overHost()
                .limits(Limits.none().memoryMax(512, MB))
                .capture("/bin/sh", "-c", hold + " & " + hold + "; wait");
        assertEquals(new Exit.Exited(0), output.exit(), output.errorText());
        long peak = output.usage().memoryPeakBytes().orElseThrow();
        long largest = output.resources().maxResidentBytes();
        assertTrue(peak > 75_000_000, Long.toString(peak));
        assertTrue(largest > 38_000_000 && largest < 70_000_000, Long.toString(largest));
        assertTrue(output.usage().cpuTime().orElseThrow().isPositive());
    }

    /** What clones a child is a few kilobytes, whatever this JVM has resident. */
    @Test
    void theLargestProcessIsOneOfTheContainersAndNotThisJvm() throws Exception {
        byte[] resident = new byte[150_000_000];
        java.util.Arrays.fill(resident, (byte) 1);
        for (var builder : List.of(
                overHost(), Container.sandbox().lower(Path.of("/")), overHost().newUser())) {
            long largest = builder.capture("/bin/true").resources().maxResidentBytes();
            assertTrue(largest > 0 && largest < 50_000_000, Long.toString(largest));
        }
        var bare = Container.bare().limits(Limits.none()).capture("/bin/true");
        assertTrue(bare.resources().maxResidentBytes() > 150_000_000, "the kernel counts the JVM, as Resources says");
        assertTrue(
                bare.usage().memoryPeakBytes().orElse(0) < 50_000_000,
                bare.usage().toString());
        assertEquals(1, resident[resident.length - 1]);
    }
}
