// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import static dev.caisson.cgroups.Cgroups.shell;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.Cgroups.View;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is used, on the real kernel, whichever version counts it. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class UsageTest {
    private static Cgroup with(String controller, Limits limits) throws IOException {
        return Cgroup.builder(View.ALL.with(controller)).limits(limits).create();
    }

    /** Counters may lag behind by a moment. */
    private static Usage soon(Cgroup cgroup, Predicate<Usage> condition) throws Exception {
        var usage = cgroup.usage();
        for (int i = 0; i < 250 && !condition.test(usage); i++) {
            Thread.sleep(20);
            usage = cgroup.usage();
        }
        assertTrue(condition.test(usage), usage.toString());
        return usage;
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void processorTimeIsCounted(View view) throws Exception {
        try (var cgroup = Cgroup.builder(view.mounts()).create()) {
            shell(cgroup, "while :; do :; done");
            var usage = soon(cgroup, u -> u.cpuTime().orElse(Duration.ZERO).compareTo(Duration.ofMillis(50)) > 0);
            var cpu = usage.cpu().orElseThrow();
            assertTrue(cpu.user().plus(cpu.system()).compareTo(Duration.ZERO) > 0, cpu.toString());
            // Tick by tick, the parts are only about the whole.
            assertTrue(cpu.user().plus(cpu.system()).compareTo(cpu.time().plusMillis(100)) < 0, cpu.toString());
        }
    }

    @Test
    void throttlingIsCounted() throws Exception {
        try (var cgroup = with("cpu", Limits.none().cpuMax(Duration.ofMillis(2), Duration.ofMillis(20)))) {
            shell(cgroup, "while :; do :; done");
            var throttling = soon(
                            cgroup,
                            u -> u.throttling()
                                    .map(t -> t.throttledPeriods() >= 3)
                                    .orElse(false))
                    .throttling()
                    .orElseThrow();
            assertTrue(throttling.periods() >= throttling.throttledPeriods(), throttling.toString());
            assertTrue(throttling.throttledTime().compareTo(Duration.ofMillis(10)) > 0, throttling.toString());
        }
    }

    @Test
    void memoryItsPeakAndItsKindsAreCounted() throws Exception {
        try (var cgroup = with("memory", Limits.none().memoryMax(64, MB))) {
            // The shell holds 8 MB in a variable, gives them back, and goes on.
            var process = shell(cgroup, "x=$(head -c 8388608 /dev/zero | tr '\\0' x); x=; echo done; exec sleep 100");
            assertEquals('d', process.getInputStream().read());
            var usage = soon(
                    cgroup,
                    u -> u.memory().orElseThrow().anonBytes().orElse(0) > 0
                            && u.memoryPeakBytes().orElse(MB.toBytes(8)) >= MB.toBytes(8));
            var memory = usage.memory().orElseThrow();
            assertTrue(memory.bytes() > 0 && memory.bytes() < MB.toBytes(64), memory.toString());
            assertTrue(memory.peakBytes().orElse(memory.bytes()) >= memory.bytes(), memory.toString());
            assertTrue(memory.fileBytes().isPresent(), memory.toString());
            assertEquals(0, memory.events().oomKill().orElse(0));
        }
    }

    @Test
    void limitsThatWereMetAreCounted() throws Exception {
        try (var cgroup = with("memory", Limits.none().memoryMax(16, MB))) {
            var process = shell(cgroup, "exec tail /dev/zero");
            assertTrue(process.waitFor(60, TimeUnit.SECONDS));
            var events = soon(
                            cgroup,
                            u -> u.memory().orElseThrow().events().oomKill().orElse(0) == 1)
                    .memory()
                    .orElseThrow()
                    .events();
            assertTrue(events.max().orElseThrow() > 0, events.toString());
        }
    }

    @Test
    void processesAndRefusedForksAreCounted() throws Exception {
        try (var cgroup = with("pids", Limits.none().pidsMax(3))) {
            shell(cgroup, "sleep 100 & sleep 100 & sleep 100 & sleep 100 & wait");
            var pids = soon(cgroup, u -> u.pids().orElseThrow().maxEvents().orElse(0) > 0)
                    .pids()
                    .orElseThrow();
            assertTrue(pids.current() >= 1 && pids.current() <= 3, pids.toString());
            assertTrue(pids.peak().orElse(3) <= 3, pids.toString());
        }
    }

    @Test
    void whatWentToADiskIsCountedByDisk() throws Exception {
        var mounts = View.ALL.mounts();
        var usable = View.ALL.with(mounts.isUnified("io") ? "io" : "blkio");
        Path file = Path.of(System.getProperty("java.io.tmpdir"), "caisson-test-" + System.nanoTime());
        try {
            Files.write(file, new byte[1 << 20]);
            var device = Cgroups.disk(file);
            try (var cgroup = Cgroup.builder(usable)
                    .limits(Limits.none().ioMax(Limit.IoMax.of(device).readBytes(500, MB)))
                    .create()) {
                String said = Cgroups.output(
                        shell(cgroup, "dd if=" + file + " of=/dev/null bs=64k iflag=direct 2>&1 || echo failed"));
                if (said.contains("failed")) {
                    Cgroups.skip(Need.DIRECT_IO, "the file system of " + file + " has no direct reads: " + said);
                }
                var io = soon(cgroup, u -> u.io().containsKey(device)).io().get(device);
                assertTrue(io.readBytes() >= 1 << 20 && io.readOperations() >= 2, io.toString());
            }
        } finally {
            Files.deleteIfExists(file);
        }
    }

    @Test
    void pressureIsCountedWhereVersion2Is() throws Exception {
        try (var cgroup = Cgroup.builder(View.VERSION_2.mounts()).create()) {
            if (!Files.exists(cgroup.directory("").orElseThrow().resolve("cpu.pressure"))) {
                Cgroups.skip(Need.PSI, "this kernel counts no pressure (psi=1)");
            }
            shell(cgroup, "while :; do :; done");
            shell(cgroup, "while :; do :; done");
            shell(cgroup, "while :; do :; done");
            int processors = Runtime.getRuntime().availableProcessors();
            for (int i = 3; i <= processors; i++) {
                shell(cgroup, "while :; do :; done");
            }
            var cpu = soon(
                            cgroup,
                            u -> u.pressure()
                                    .cpu()
                                    .flatMap(Usage.Stall::some)
                                    .map(s -> s.total().compareTo(Duration.ofMillis(10)) > 0)
                                    .orElse(false))
                    .pressure()
                    .cpu()
                    .orElseThrow();
            assertTrue(cpu.some().orElseThrow().avg10() >= 0, cpu.toString());
        }
    }

    @Test
    void hugePagesAreListedBySize() throws Exception {
        var mounts = View.VERSION_2.with("hugetlb");
        try (var cgroup = Cgroup.builder(mounts).create()) {
            for (long size : cgroup.usage().hugetlb().keySet()) {
                assertTrue(
                        Files.isDirectory(Path.of("/sys/kernel/mm/hugepages/hugepages-" + (size >> 10) + "kB")),
                        size + "");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void ofAVanishedCgroupItSaysSo(View view) throws Exception {
        try (var cgroup = Cgroup.builder(view.mounts()).create()) {
            for (Path directory : cgroup.directories()) {
                Files.delete(directory);
            }
            var refused = assertThrows(CgroupException.class, cgroup::usage);
            assertEquals(CgroupException.Reason.VANISHED, refused.reason());
            assertTrue(refused.getMessage().contains("somebody removed"), refused.getMessage());
        }
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void aMeterKeepsItsFilesOpenAndReadsTheSame(View view) throws Exception {
        try (var cgroup = Cgroup.builder(view.mounts()).create();
                var meter = cgroup.meter()) {
            var first = meter.usage();
            shell(cgroup, "while :; do :; done");
            var _ = soon(cgroup, u -> u.cpuTime().orElseThrow().compareTo(Duration.ofMillis(20)) > 0);
            var later = meter.usage();
            assertTrue(later.cpuTime().orElseThrow().compareTo(first.cpuTime().orElseThrow()) > 0, later.toString());
            assertEquals(cgroup.usage().hugetlb(), later.hugetlb());
            var before = cgroup.usage().cpuTime().orElseThrow();
            var alone = meter.cpuTime().orElseThrow();
            var after = cgroup.usage().cpuTime().orElseThrow();
            assertTrue(before.compareTo(alone) <= 0 && alone.compareTo(after) <= 0, before + " " + alone + " " + after);
            cgroup.kill();
            for (Path directory : cgroup.directories()) {
                dev.caisson.cgroups.process.Removal.of(directory, cgroup::kill);
            }
            var refused = assertThrows(CgroupException.class, meter::usage);
            assertEquals(CgroupException.Reason.VANISHED, refused.reason());
            var alsoRefused = assertThrows(CgroupException.class, meter::cpuTime);
            assertEquals(CgroupException.Reason.VANISHED, alsoRefused.reason());
        }
        try (var cgroup = Cgroup.builder(view.mounts()).create()) {
            var meter = cgroup.meter();
            meter.close();
            meter.close();
            assertThrows(IllegalStateException.class, meter::usage);
        }
    }

    @Test
    void aSnapshotAllocatesLittle() throws Exception {
        var bean = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (var cgroup = Cgroup.builder(View.ALL.mounts()).create()) {
            for (int i = 0; i < 2000; i++) {
                var _ = cgroup.usage();
            }
            long before = bean.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 100; i++) {
                var _ = cgroup.usage();
            }
            long each = (bean.getCurrentThreadAllocatedBytes() - before) / 100;
            assertTrue(each < 32_768, each + " bytes for each snapshot");
        }
    }
}
