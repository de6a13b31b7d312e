// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import static dev.caisson.cgroups.Cgroups.read;
import static dev.caisson.cgroups.Cgroups.shell;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.Cgroups.View;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.spec.BlockDevice;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.DeviceRules;
import dev.caisson.cgroups.spec.DeviceRules.Rule;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limit.Amount;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An update changes all that it names, or nothing. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class UpdateTest {
    /** The kernel has no such disk, so that the write of this limit is refused. */
    private static final Limit.IoMax NO_SUCH_DISK =
            Limit.IoMax.of(new BlockDevice(4000, 77)).readBytes(1, MB);

    @ParameterizedTest
    @EnumSource(View.class)
    void swapStaysAtItsLimitWhenMemoryAloneGoesDownAndUp(View view) throws Exception {
        var mounts = view.with("memory");
        boolean old = !mounts.isUnified("memory");
        var limits = Limits.none().memoryMax(400, MB).swapMax(0, MB);
        try (var cgroup = Cgroup.builder(mounts).limits(limits).create()) {
            for (long megabytes : List.of(100L, 800L, 300L)) {
                cgroup.update(Limits.none().memoryMax(megabytes, MB));
                if (old) {
                    String sum = Long.toString(MB.toBytes(megabytes));
                    assertEquals(sum, read(cgroup, "memory", "memory.limit_in_bytes"));
                    assertEquals(
                            sum, read(cgroup, "memory", "memory.memsw.limit_in_bytes"), "memory and swap together");
                } else {
                    assertEquals("0", read(cgroup, "memory", "memory.swap.max"));
                }
                assertEquals(0, cgroup.limits().swapMax().orElseThrow());
            }
            cgroup.update(Limits.none().swapMax(50, MB));
            if (old) {
                assertEquals(Long.toString(MB.toBytes(350)), read(cgroup, "memory", "memory.memsw.limit_in_bytes"));
            }
        }
    }

    /** All files of a cgroup that limits are written to, as they can be read. */
    private static Map<String, String> files(Cgroup cgroup) throws Exception {
        var all = new TreeMap<String, String>();
        for (Path directory : cgroup.directories()) {
            try (Stream<Path> files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    String name = file.getFileName().toString();
                    if (Files.isRegularFile(file) && isOfLimit(name)) {
                        String text;
                        try {
                            text = Files.readString(file);
                        } catch (java.io.IOException notHere) {
                            text = notHere.toString();
                        }
                        all.put(file.toString(), text);
                    }
                }
            }
        }
        return all;
    }

    private static boolean isOfLimit(String file) {
        return Stream.of(
                                "max",
                                "weight",
                                "shares",
                                "limit_in_bytes",
                                "idle",
                                "burst",
                                "quota_us",
                                "period_us",
                                "burst_us")
                        .anyMatch(end -> file.endsWith("." + end) || file.endsWith("_" + end) || file.endsWith(end))
                || List.of(
                                "devices.list",
                                "cpuset.cpus",
                                "cpuset.mems",
                                "memory.swappiness",
                                "memory.high",
                                "memory.low",
                                "memory.min",
                                "net_cls.classid",
                                "cgroup.max.depth",
                                "cgroup.max.descendants")
                        .contains(file);
    }

    /** Two values for each limit that the controllers of a view have. */
    private static List<List<Limit>> pairs(CgroupMounts mounts) {
        var pairs = new ArrayList<List<Limit>>();
        if (has(mounts, "memory")) {
            pairs.add(List.of(new Limit.MemoryMax(Amount.of(400 << 20)), new Limit.MemoryMax(Amount.of(200 << 20))));
            pairs.add(List.of(new Limit.SwapMax(Amount.of(0)), new Limit.SwapMax(Amount.of(5 << 20))));
            pairs.add(List.of(new Limit.MemoryLow(Amount.of(1 << 20)), new Limit.MemoryLow(Amount.of(2 << 20))));
            if (!mounts.isUnified("memory")) {
                pairs.add(List.of(new Limit.Swappiness(10), new Limit.Swappiness(20)));
                pairs.add(List.of(new Limit.OomKillDisable(false), new Limit.OomKillDisable(true)));
            }
        }
        if (has(mounts, "cpu")) {
            pairs.add(List.of(
                    Limit.CpuMax.cpus(0.5),
                    new Limit.CpuMax(java.util.Optional.of(Duration.ofMillis(20)), Duration.ofMillis(50))));
            pairs.add(List.of(new Limit.CpuWeight(30), new Limit.CpuWeight(60)));
            pairs.add(List.of(new Limit.CpuIdle(false), new Limit.CpuIdle(true)));
        }
        if (has(mounts, "pids")) {
            pairs.add(List.of(
                    Limits.none().pidsMax(30).all().iterator().next(),
                    Limits.none().pidsMax(20).all().iterator().next()));
        }
        if (has(mounts, "cpuset") && Runtime.getRuntime().availableProcessors() > 1) {
            pairs.add(List.of(cpus(0, 1), cpus(0)));
        }
        if (has(mounts, "net_cls")) {
            pairs.add(List.of(new Limit.NetClassId(5), new Limit.NetClassId(6)));
        }
        if (mounts.isUnified("hugetlb") && Files.isDirectory(Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB"))) {
            pairs.add(List.of(
                    new Limit.HugetlbMax(MB.toBytes(2), false, Amount.of(0)),
                    new Limit.HugetlbMax(MB.toBytes(2), false, Amount.of(2 << 20))));
        }
        if (has(mounts, "devices")) {
            pairs.add(List.of(DeviceRules.standard(), DeviceRules.standard().and(Rule.deny("c 1:5 rw"))));
        }
        return pairs;
    }

    private static Limit cpus(Integer... numbers) {
        return new Limit.Cpuset(new TreeSet<>(List.of(numbers)));
    }

    private static boolean has(CgroupMounts mounts, String controller) {
        return mounts.isUnified(controller)
                || mounts.legacyHierarchy(controller).isPresent();
    }

    /** A limit that the kernel refuses when it is written, after all others have been. */
    private static Limits refused(CgroupMounts mounts, Limits limits) {
        if (has(mounts, "blkio") || has(mounts, "io")) {
            return limits.with(NO_SUCH_DISK);
        }
        return limits.unified("cgroup.max.depth", "deep");
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void aRefusedUpdateLeavesAllLimitsOfAllControllersAsTheyWere(View view) throws Exception {
        var mounts = view.mounts();
        var first = Limits.none();
        var second = Limits.none();
        for (var pair : pairs(mounts)) {
            first = first.with(pair.getFirst());
            second = second.with(pair.getLast());
        }
        if (mounts.unified().isPresent()) {
            first = first.unified("cgroup.max.descendants", "7");
            second = second.unified("cgroup.max.descendants", "8");
        }
        var wanted = refused(mounts, second);
        try (var cgroup = Cgroup.builder(mounts).limits(first).create()) {
            var before = files(cgroup);
            var limits = cgroup.limits();
            var refused = assertThrows(CgroupException.class, () -> cgroup.update(wanted));
            assertEquals(CgroupException.Reason.REFUSED, refused.reason(), refused.toString());
            assertEquals(List.of(), List.of(refused.getSuppressed()));
            var after = files(cgroup);
            // A controller that was enabled for what was refused has files now, and no limit in them.
            after.keySet().retainAll(before.keySet());
            assertEquals(before, after);
            assertEquals(limits, cgroup.limits());
            // What was refused can be asked for without the part that is to blame.
            cgroup.update(second);
            assertTrue(!before.equals(files(cgroup)), "nothing changed at all");
        }
    }

    @Test
    void aRefusedUpdateTakesTheProcessesBackToWhereTheyWereAndKillsNone() throws Exception {
        var mounts = View.VERSION_1.with("pids");
        if (!has(mounts, "blkio")) {
            Cgroups.skip(Need.CONTROLLER, "no blkio controller of version 1 here");
        }
        try (var cgroup = Cgroup.builder(mounts).create()) {
            var process = shell(cgroup, "sleep 100 & echo ready; wait");
            assertEquals('r', process.getInputStream().read());
            Path membership = Path.of("/proc/" + process.pid() + "/cgroup");
            String before = Files.readString(membership);
            var directories = cgroup.directories();
            var both = Limits.none().pidsMax(20).with(NO_SUCH_DISK);
            assertThrows(CgroupException.class, () -> cgroup.update(both));
            assertTrue(process.isAlive());
            assertEquals(before, Files.readString(membership));
            assertEquals(directories, cgroup.directories());
            for (var hierarchy : mounts.hierarchies()) {
                Path inner = hierarchy.mountPoint().resolve(cgroup.name());
                assertEquals(directories.contains(inner), Files.exists(inner), inner.toString());
            }
        }
    }

    @Test
    void aBurstThatANewQuotaWouldUndercutIsRefusedByName() throws Exception {
        try (var cgroup = Cgroup.builder(View.ALL.with("cpu"))
                .limits(Limits.none().cpus(1).with(new Limit.CpuBurst(Duration.ofMillis(80))))
                .create()) {
            var refused = assertThrows(
                    IllegalArgumentException.class,
                    () -> cgroup.update(Limits.none().cpus(0.5)));
            assertTrue(refused.getMessage().startsWith("cpuBurst: "), refused.getMessage());
        }
    }
}
