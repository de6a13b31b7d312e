// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import static dev.caisson.linux.ByteUnit.GB;
import static dev.caisson.linux.ByteUnit.KB;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.BlockDevice;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.DeviceRules;
import dev.caisson.cgroups.spec.DeviceRules.Rule;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limit.Amount;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.v1.V1Writes;
import dev.caisson.cgroups.v2.V2Writes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

/** Every limit as what each version's files get; no kernel takes part. */
class WritesTest {
    private static final BlockDevice DISK = new BlockDevice(8, 16);

    private static List<String> v2(Limits limits) throws CgroupException {
        var texts = new ArrayList<String>();
        for (var limit : limits.all()) {
            V2Writes.of(limit).stream().map(Write::toString).forEach(texts::add);
        }
        return texts;
    }

    private static List<String> v1(Limits limits) throws CgroupException {
        var texts = new ArrayList<String>();
        for (var limit : limits.all()) {
            V1Writes.of(limit, limits).stream().map(Write::toString).forEach(texts::add);
        }
        return texts;
    }

    private static void v2(Limit limit, String... written) throws CgroupException {
        assertEquals(List.of(written), v2(Limits.none().with(limit)));
    }

    private static void v1(Limit limit, String... written) throws CgroupException {
        assertEquals(List.of(written), v1(Limits.none().with(limit)));
    }

    private static void notInV1(Limit limit) {
        refused(limit, "version 1", () -> v1(Limits.none().with(limit)));
    }

    private static void notInV2(Limit limit) {
        refused(limit, "version 2", () -> v2(Limits.none().with(limit)));
    }

    private static void refused(Limit limit, String version, org.junit.jupiter.api.function.Executable translation) {
        var refused = assertThrows(CgroupException.class, translation);
        assertEquals(limit.option(), refused.option());
        assertEquals(CgroupException.Reason.NOT_IN_THIS_VERSION, refused.reason());
        assertTrue(refused.getMessage().contains(version), refused.getMessage());
    }

    @Test
    void memory() throws Exception {
        var limits = Limits.none().memoryMax(256, MB).swapMax(64, MB).memoryLow(1, MB);
        assertEquals(
                List.of("memory.max = 268435456", "memory.swap.max = 67108864", "memory.low = 1048576"), v2(limits));
        assertEquals(
                List.of(
                        "memory.limit_in_bytes = 268435456",
                        "memory.memsw.limit_in_bytes = 335544320",
                        "memory.soft_limit_in_bytes = 1048576"),
                v1(limits));
    }

    @Test
    void memoryOfVersion2Alone() throws Exception {
        v2(new Limit.MemoryHigh(Amount.of(5)), "memory.high = 5");
        v2(new Limit.MemoryMin(Amount.of(0)), "memory.min = 0");
        v2(new Limit.SwapHigh(Amount.of(6)), "memory.swap.high = 6");
        v2(new Limit.ZswapMax(Amount.of(0)), "memory.zswap.max = 0");
        v2(new Limit.OomGroup(true), "memory.oom.group = 1");
        notInV1(new Limit.MemoryHigh(Amount.of(5)));
        notInV1(new Limit.MemoryMin(Amount.of(5)));
        notInV1(new Limit.SwapHigh(Amount.of(5)));
        notInV1(new Limit.OomGroup(true));
    }

    @Test
    void memoryOfVersion1Alone() throws Exception {
        v1(new Limit.Swappiness(10), "memory.swappiness = 10");
        v1(new Limit.OomKillDisable(true), "memory.oom_control = 1");
        v1(new Limit.KernelTcpMax(Amount.of(9)), "memory.kmem.tcp.limit_in_bytes = 9");
        notInV2(new Limit.Swappiness(10));
        notInV2(new Limit.OomKillDisable(true));
        notInV2(new Limit.KernelTcpMax(Amount.of(9)));
    }

    @Test
    void swapAloneCannotBeSaidInVersion1() {
        notInV1(new Limit.SwapMax(Amount.of(0)));
    }

    @Test
    void aLiftedLimitIsMaxOrMinusOne() throws Exception {
        v2(new Limit.MemoryMax(Amount.max()), "memory.max = max");
        v1(new Limit.MemoryMax(Amount.max()), "memory.limit_in_bytes = -1");
        v2(new Limit.PidsMax(Amount.max()), "pids.max = max");
        v1(new Limit.PidsMax(Amount.max()), "pids.max = max");
        var cpu = new Limit.CpuMax(Optional.empty(), Duration.ofMillis(100));
        v2(cpu, "cpu.max = max 100000");
        v1(cpu, "cpu.cfs_period_us = 100000", "cpu.cfs_quota_us = -1");
    }

    @Test
    void processorTime() throws Exception {
        v2(Limit.CpuMax.cpus(1.5), "cpu.max = 150000 100000");
        v1(Limit.CpuMax.cpus(1.5), "cpu.cfs_period_us = 100000", "cpu.cfs_quota_us = 150000");
        v2(new Limit.CpuBurst(Duration.ofMillis(20)), "cpu.max.burst = 20000");
        v1(new Limit.CpuBurst(Duration.ofMillis(20)), "cpu.cfs_burst_us = 20000");
        v2(new Limit.CpuIdle(true), "cpu.idle = 1");
        v1(new Limit.CpuIdle(true), "cpu.idle = 1");
        var realtime = new Limit.CpuRealtime(Duration.ofMillis(950), Duration.ofSeconds(1));
        v1(realtime, "cpu.rt_period_us = 1000000", "cpu.rt_runtime_us = 950000");
        notInV2(realtime);
        v2(new Limit.CpuUtilisation(0, 5050), "cpu.uclamp.max = 50.50", "cpu.uclamp.min = 0.00");
        notInV1(new Limit.CpuUtilisation(0, 5000));
    }

    @Test
    void theEndsAndTheMiddleOfSharesAndWeightsAreEachOthers() throws Exception {
        v2(new Limit.CpuShares(2), "cpu.weight = 1");
        v2(new Limit.CpuShares(1024), "cpu.weight = 100");
        v2(new Limit.CpuShares(262_144), "cpu.weight = 10000");
        v1(new Limit.CpuWeight(1), "cpu.shares = 2");
        v1(new Limit.CpuWeight(100), "cpu.shares = 1024");
        v1(new Limit.CpuWeight(10_000), "cpu.shares = 262144");
    }

    @Property
    void aWeightThatBecameSharesBecomesTheSameWeight(@ForAll @IntRange(min = 1, max = 10_000) int weight)
            throws CgroupException {
        String shares = V1Writes.of(new Limit.CpuWeight(weight), Limits.none())
                .getFirst()
                .value();
        v2(new Limit.CpuShares(Long.parseLong(shares)), "cpu.weight = " + weight);
    }

    @Property
    void moreSharesAreNeverLessWeight(@ForAll @LongRange(min = 2, max = 262_143) long shares) throws CgroupException {
        assertTrue(weight(shares) <= weight(shares + 1));
    }

    private static int weight(long shares) throws CgroupException {
        return Integer.parseInt(
                V2Writes.of(new Limit.CpuShares(shares)).getFirst().value());
    }

    @Test
    void cpusets() throws Exception {
        var limits = Limits.none().cpuset("0,1,2,5").cpusetMems("0");
        assertEquals(List.of("cpuset.cpus = 0-2,5", "cpuset.mems = 0"), v2(limits));
        assertEquals(List.of("cpuset.cpus = 0-2,5", "cpuset.mems = 0"), v1(limits));
        var partition = new Limit.CpusetPartition(Limit.CpusetPartition.Kind.ISOLATED);
        v2(partition, "cpuset.cpus.partition = isolated");
        notInV1(partition);
    }

    @Test
    void disks() throws Exception {
        var max = Limit.IoMax.of(DISK).readBytes(1, MB).writes(100);
        v2(max, "io.max = 8:16 rbps=1048576 wbps=max riops=max wiops=100");
        v1(
                max,
                "blkio.throttle.read_bps_device = 8:16 1048576",
                "blkio.throttle.write_bps_device = 8:16 0",
                "blkio.throttle.read_iops_device = 8:16 0",
                "blkio.throttle.write_iops_device = 8:16 100");
        v2(new Limit.IoWeight(10_000), "io.weight = default 10000 or io.bfq.weight = default 1000");
        v1(new Limit.IoWeight(1), "blkio.bfq.weight = 10 or blkio.weight = 10");
        v1(
                new Limit.IoDeviceWeight(DISK, 10_000),
                "blkio.bfq.weight_device = 8:16 1000 or blkio.weight_device = 8:16 1000");
        v2(new Limit.IoLatency(DISK, Duration.ofMillis(3)), "io.latency = 8:16 target=3000");
        notInV1(new Limit.IoLatency(DISK, Duration.ofMillis(3)));
    }

    @Test
    void hugePages() throws Exception {
        v2(new Limit.HugetlbMax(MB.toBytes(2), false, Amount.of(4)), "hugetlb.2MB.max = 4");
        v1(new Limit.HugetlbMax(MB.toBytes(2), false, Amount.max()), "hugetlb.2MB.limit_in_bytes = -1");
        v2(new Limit.HugetlbMax(GB.toBytes(1), true, Amount.of(4)), "hugetlb.1GB.rsvd.max = 4");
        v1(new Limit.HugetlbMax(KB.toBytes(64), true, Amount.of(4)), "hugetlb.64KB.rsvd.limit_in_bytes = 4");
    }

    @Test
    void theRest() throws Exception {
        v2(new Limit.RdmaMax("mlx5_0", Amount.of(2), Amount.max()), "rdma.max = mlx5_0 hca_handle=2 hca_object=max");
        v2(new Limit.MiscMax("sev", Amount.of(1)), "misc.max = sev 1");
        v1(new Limit.NetClassId(0x100001), "net_cls.classid = 1048577");
        v1(new Limit.NetPriority("eth0", 5), "net_prio.ifpriomap = eth0 5");
        notInV2(new Limit.NetClassId(1));
        notInV2(new Limit.NetPriority("eth0", 5));
        assertEquals(List.of("memory.high = 1G"), v2(Limits.none().unified("memory.high", "1G")));
        assertThrows(CgroupException.class, () -> v1(Limits.none().unified("memory.high", "1G")));
    }

    @Test
    void devicesOfVersion1() throws Exception {
        v1(
                DeviceRules.of(Rule.allow("c 1:3 rwm"), Rule.deny("c 1:3 m")),
                "devices.deny = a *:* rwm",
                "devices.allow = c 1:3 rw");
    }
}
