// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.spec.DeviceRules.Rule;
import dev.caisson.cgroups.spec.Limit.Amount;
import dev.caisson.cgroups.text.NumberList;
import dev.caisson.linux.ByteUnit;
import dev.caisson.testkit.Need;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.UnaryOperator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class LimitsTest {
    private static final BlockDevice DISK = new BlockDevice(8, 0);

    @Test
    void aLimitSetTwiceHasItsLastValue() {
        var limits = Limits.none().memoryMax(1, MB).pidsMax(5).memoryMax(2, MB);
        assertEquals(2 << 20, limits.memoryMax().orElseThrow());
        assertEquals(2, limits.all().size());
    }

    @Test
    void limitsOfDifferentDevicesStandBesideEachOther() {
        var other = new BlockDevice(8, 16);
        var limits = Limits.none()
                .ioMax(Limit.IoMax.of(DISK).readBytes(1, MB))
                .ioMax(Limit.IoMax.of(other).reads(10))
                .ioMax(Limit.IoMax.of(DISK).readBytes(2, MB));
        assertEquals(
                List.of(Limit.IoMax.of(other).reads(10), Limit.IoMax.of(DISK).readBytes(2, MB)), limits.all());
    }

    @Test
    void aWeightReplacesShares() {
        var limits = Limits.none().with(new Limit.CpuShares(2048)).cpuWeight(7);
        assertEquals(List.of(new Limit.CpuWeight(7)), limits.all());
    }

    @Test
    void processorTimeIsReadBackAsItWasSet() {
        assertEquals(OptionalDouble.of(1.5), Limits.none().cpus(1.5).cpus());
        assertEquals(
                OptionalDouble.of(0.5),
                Limits.none()
                        .cpuMax(Duration.ofMillis(5), Duration.ofMillis(10))
                        .cpus());
    }

    @TestFactory
    List<DynamicTest> whatMakesNoSenseIsRefusedByItsName() {
        return List.of(
                bad(l -> l.memoryMax(0, MB), "memoryMax", "0"),
                bad(l -> l.memoryMax(-1, MB), "memoryMax", "-1"),
                bad(l -> l.memoryMax(Long.MAX_VALUE, ByteUnit.KB), "memoryMax", "9223372036854775807"),
                bad(l -> l.memoryHigh(0, MB), "memoryHigh", "0"),
                bad(l -> l.memoryLow(-2, MB), "memoryLow", "-2"),
                bad(l -> l.swapMax(-2, MB), "swapMax", "-2"),
                bad(l -> l.with(new Limit.Swappiness(101)), "swappiness", "101"),
                bad(l -> l.cpus(0), "cpus", "0.0"),
                bad(l -> l.cpus(Double.NaN), "cpus", "NaN"),
                bad(l -> l.cpus(1e9), "cpus", "1.0E9"),
                bad(l -> l.cpuMax(Duration.ofNanos(1), Duration.ofMillis(10)), "cpuMax quota", "PT0.000000001S"),
                bad(l -> l.cpuMax(Duration.ofMillis(1), Duration.ofMinutes(1)), "cpuMax period", "PT1M"),
                bad(l -> l.cpuWeight(0), "cpuWeight", "0"),
                bad(l -> l.cpuWeight(10_001), "cpuWeight", "10001"),
                bad(l -> l.with(new Limit.CpuShares(1)), "cpuShares", "1"),
                bad(l -> l.with(new Limit.CpuBurst(Duration.ofMillis(-1))), "cpuBurst", "PT-0.001S"),
                bad(
                        l -> l.with(new Limit.CpuRealtime(Duration.ofSeconds(2), Duration.ofSeconds(1))),
                        "cpuRealtime runtime",
                        "PT2S"),
                bad(l -> l.with(new Limit.CpuUtilisation(5, 4)), "cpuUtilisation least", "5"),
                bad(l -> l.cpuset(""), "cpuset", "empty"),
                bad(l -> l.cpuset("3-1"), "cpuset", "3-1"),
                bad(l -> l.cpuset("0,,1"), "cpuset", "0,,1"),
                bad(l -> l.cpuset("99999"), "cpuset", "99999"),
                bad(l -> l.cpusetMems("a"), "cpusetMems", "a"),
                bad(l -> l.ioMax(Limit.IoMax.of(DISK).readBytes(0, MB)), "ioMax", "0"),
                bad(l -> l.ioMax(Limit.IoMax.of(DISK).writes(-1)), "ioMax", "-1"),
                bad(l -> l.ioMax(Limit.IoMax.of(Path.of("/dev/no-such-disk"))), "ioMax", "/dev/no-such-disk"),
                bad(l -> l.ioMax(Limit.IoMax.of(Path.of("/dev/null"))), "ioMax", "/dev/null"),
                bad(l -> l.ioMax(Limit.IoMax.of(Path.of("/proc/self/stat"))), "ioMax", "/proc/self/stat"),
                bad(l -> l.ioWeight(0), "ioWeight", "0"),
                bad(l -> l.with(new Limit.IoLatency(DISK, Duration.ZERO)), "ioLatency", "PT0S"),
                bad(l -> l.pidsMax(0), "pidsMax", "0"),
                bad(l -> l.pidsMax(5_000_000), "pidsMax", "5000000"),
                bad(l -> l.with(new Limit.HugetlbMax(3000, false, Amount.of(1))), "hugetlbMax", "3000"),
                bad(l -> l.with(new Limit.RdmaMax("a b", Amount.max(), Amount.max())), "rdmaMax", "a b"),
                bad(l -> l.with(new Limit.MiscMax("", Amount.of(1))), "miscMax", "\"\""),
                bad(l -> l.with(new Limit.NetClassId(1L << 32)), "netClassId", "4294967296"),
                bad(l -> l.with(new Limit.NetPriority("eth0\n", 1)), "netPriority", "eth0"),
                bad(l -> l.unified("../memory.max", "1"), "unified", "../memory.max"),
                bad(l -> l.unified("memory", "1"), "unified", "memory"),
                bad(l -> l.unified("cgroup.procs", "1"), "unified", "cgroup.procs"),
                bad(l -> l.unified("memory.max", ""), "unified", "memory.max"),
                bad(l -> l.devices(DeviceRules.of(Rule.allow("d 1:3 r"))), "devices", "d 1:3 r"),
                bad(l -> l.devices(DeviceRules.of(Rule.allow("c 9999:3 r"))), "devices major", "9999"),
                bad(l -> l.devices(DeviceRules.of(Rule.deny("c 1:3"))), "devices", "c 1:3"));
    }

    private static DynamicTest bad(UnaryOperator<Limits> setter, String option, String value) {
        return DynamicTest.dynamicTest(option + " " + value.strip(), () -> {
            var refused = assertThrows(IllegalArgumentException.class, () -> {
                var _ = setter.apply(Limits.none());
            });
            assertTrue(String.valueOf(refused.getMessage()).startsWith(option + ":"), refused.getMessage());
            assertTrue(String.valueOf(refused.getMessage()).contains(value), refused.getMessage());
        });
    }

    @Test
    void aPartitionStandsForItsWholeDisk() throws Exception {
        Path stored = Path.of(System.getProperty("java.io.tmpdir"));
        boolean onDisk = java.nio.file.Files.getFileStore(stored).name().startsWith("/dev/");
        Need.DISK.orSkip(onDisk, stored + " is on no disk");
        var device = BlockDevice.of("ioMax", stored);
        assertTrue(java.nio.file.Files.exists(Path.of("/sys/dev/block", device.toString()))
                && !java.nio.file.Files.exists(Path.of("/sys/dev/block", device.toString(), "partition")));
    }

    @Test
    void noBoundIsSpelledMax() {
        assertEquals("max", Amount.max().toString());
        assertEquals(Optional.of("7"), Optional.of(Amount.of(7).toString()));
    }

    @Property
    void aNumberListIsReadAsItIsWritten(@ForAll @Size(max = 40) List<@IntRange(max = 8191) Integer> numbers) {
        var list = new java.util.TreeSet<>(numbers);
        assertEquals(list, NumberList.parse("cpuset", NumberList.text(list)));
    }
}
