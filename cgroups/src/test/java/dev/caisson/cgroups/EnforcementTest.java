// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import static dev.caisson.cgroups.Cgroups.read;
import static dev.caisson.cgroups.Cgroups.shell;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.Cgroups.View;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the kernel does to processes that want more than their limits, wherever this machine has the controller. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class EnforcementTest {
    private static final int SIGKILL_CODE = 128 + 9;

    private static Cgroup create(CgroupMounts mounts, Limits limits) throws Exception {
        return Cgroup.builder(mounts).limits(limits).create();
    }

    @Test
    void whoTakesMoreMemoryThanAllowedIsKilled() throws Exception {
        try (var cgroup = create(View.ALL.with("memory"), Limits.none().memoryMax(16, MB))) {
            var process = shell(cgroup, "exec tail /dev/zero");
            assertTrue(process.waitFor(60, TimeUnit.SECONDS));
            assertEquals(SIGKILL_CODE, process.exitValue());
            assertTrue(cgroup.outOfMemory().isPresent());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void outOfMemoryTakesAllOrOnlyTheVictim(boolean whole) throws Exception {
        var mounts = View.ALL.with("memory");
        if (!mounts.isUnified("memory")) {
            Need.doesNotApply("version 1 has no memory.oom.group");
        }
        var limits = Limits.none().memoryMax(32, MB).with(new Limit.OomGroup(whole));
        try (var cgroup = create(mounts, limits)) {
            var process = shell(cgroup, "sleep 1000 & exec tail /dev/zero");
            assertTrue(process.waitFor(60, TimeUnit.SECONDS));
            assertEquals(SIGKILL_CODE, process.exitValue());
            for (int i = 0; i < 100 && whole && isPopulated(cgroup); i++) {
                Thread.sleep(20);
            }
            assertEquals(!whole, isPopulated(cgroup));
        }
    }

    private static boolean isPopulated(Cgroup cgroup) throws Exception {
        return read(cgroup, "memory", "cgroup.events").contains("populated 1");
    }

    @Test
    void aForkBombStopsAtItsLimit() throws Exception {
        try (var cgroup = create(View.ALL.with("pids"), Limits.none().pidsMax(8))) {
            var process = shell(cgroup, "f() { f | f & }; f; sleep 1");
            for (int i = 0; i < 50; i++) {
                assertTrue(Integer.parseInt(read(cgroup, "pids", "pids.current")) <= 8);
                Thread.sleep(5);
            }
            assertTrue(read(cgroup, "pids", "pids.events").matches("(?s)max [1-9].*"));
            cgroup.kill();
            assertTrue(process.waitFor(5, TimeUnit.SECONDS));
        }
    }

    /** Against the scheduler's own account, since other work on the machine delays this test and the process alike. */
    @Test
    void aSpinningProcessGetsItsShareOfProcessorTimeWithinFivePercent() throws Exception {
        var quota = Duration.ofMillis(10);
        try (var cgroup = create(View.ALL.with("cpu"), Limits.none().cpuMax(quota, Duration.ofMillis(50)))) {
            var process = shell(cgroup, "while :; do :; done");
            Thread.sleep(300);
            var before = Account.of(cgroup, process);
            Thread.sleep(4000);
            var account = Account.of(cgroup, process).since(before);
            double quotas = (double) account.used() / quota.toNanos();
            // The time is read a moment after the periods: one period of the eighty.
            assertTrue(quotas <= 1.05 * account.periods() + 1, () -> quotas + " quotas: " + account);
            // Who is throttled has used all of it.
            assertTrue(
                    account.throttled() > 0 && quotas >= 0.95 * account.throttled() - 1,
                    () -> quotas + " quotas: " + account);
        }
    }

    /** What the scheduler counted: periods that began, those in which it stopped the cgroup, nanoseconds it ran. */
    private record Account(long periods, long throttled, long used) {
        static Account of(Cgroup cgroup, Process process) throws Exception {
            String[] stat = read(cgroup, "cpu", "cpu.stat").split("\\s+");
            String used = Files.readString(Path.of("/proc/" + process.pid() + "/schedstat"));
            return new Account(
                    valueOf("nr_periods", stat), valueOf("nr_throttled", stat), Long.parseLong(used.split(" ")[0]));
        }

        private static long valueOf(String key, String... stat) {
            for (int i = 0; i < stat.length; i += 2) {
                if (stat[i].equals(key)) {
                    return Long.parseLong(stat[i + 1]);
                }
            }
            throw new AssertionError("cpu.stat has no " + key);
        }

        Account since(Account before) {
            return new Account(periods - before.periods, throttled - before.throttled, used - before.used);
        }
    }

    @Test
    void aProcessRunsOnItsProcessorsOnly() throws Exception {
        try (var cgroup = create(View.ALL.with("cpuset"), Limits.none().cpuset("0"))) {
            String status = Cgroups.output(shell(cgroup, "exec grep Cpus_allowed_list /proc/self/status"));
            assertEquals("Cpus_allowed_list:\t0", status.strip());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"if", "of"})
    void aDiskIsReadAndWrittenNoFasterThanAllowed(String direction) throws Exception {
        var mounts = View.ALL.with(View.ALL.mounts().isUnified("io") ? "io" : "blkio");
        Path file = Path.of(System.getProperty("java.io.tmpdir"), "caisson-test-" + System.nanoTime());
        try {
            Files.write(file, new byte[4 << 20]);
            var device = Cgroups.disk(file);
            boolean reads = direction.equals("if");
            var limit = reads
                    ? Limit.IoMax.of(device).readBytes(2, MB)
                    : Limit.IoMax.of(device).writeBytes(2, MB);
            try (var cgroup = create(mounts, Limits.none().ioMax(limit))) {
                String copy = reads
                        ? "dd if=" + file + " of=/dev/null iflag=direct"
                        : "dd if=/dev/zero of=" + file + " conv=notrunc oflag=direct";
                long begin = System.nanoTime();
                String said = Cgroups.output(shell(cgroup, copy + " bs=64k count=64 2>&1 || echo failed"));
                double seconds = (System.nanoTime() - begin) / 1e9;
                if (said.contains("failed")) {
                    Cgroups.skip(
                            Need.DIRECT_IO, "the file system of " + file + " has no direct reads and writes: " + said);
                }
                assertTrue(seconds > 1.8, "4 MB at 2 MB/s in " + seconds + " s");
            }
        } finally {
            Files.deleteIfExists(file);
        }
    }
}
