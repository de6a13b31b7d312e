// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v1;

import dev.caisson.cgroups.spec.BlockDevice;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.cgroups.text.FlatKeyed;
import dev.caisson.cgroups.text.Text;
import dev.caisson.cgroups.usage.DeviceNumber;
import dev.caisson.cgroups.usage.HugePages;
import dev.caisson.cgroups.usage.Reading;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Reads what a cgroup uses from the hierarchies of version 1 that it is in. */
public final class UsageFiles {
    private static final FlatKeyed CPU =
            new FlatKeyed("nr_periods", "nr_throttled", "throttled_time", "nr_bursts", "burst_time");
    private static final FlatKeyed CPUACCT = new FlatKeyed("user", "system");
    private static final FlatKeyed MEMORY = new FlatKeyed("total_cache", "total_rss", "total_swap");
    private static final FlatKeyed OOM_CONTROL = new FlatKeyed("oom_kill");
    private static final FlatKeyed MAX = new FlatKeyed("max");
    /** USER_HZ, which is 100 on all architectures of Linux that run a JVM. */
    private static final long NANOS_PER_TICK = 10_000_000;

    private static final int OPERATIONS = 3;

    private UsageFiles() {}

    /** {@return what the files say} */
    public static Usage read(Reading reading, V1Driver driver) throws IOException {
        var memory = in(reading, driver, "memory", UsageFiles::memory);
        return new Usage(
                in(reading, driver, "cpuacct", UsageFiles::cpu),
                in(reading, driver, "cpu", UsageFiles::throttling),
                memory.map(Charged::memory),
                memory.flatMap(Charged::swap),
                in(reading, driver, "blkio", UsageFiles::io).orElse(Map.of()),
                in(reading, driver, "pids", UsageFiles::pids),
                in(reading, driver, "hugetlb", UsageFiles::hugetlb).orElse(Map.of()),
                Map.of(),
                Map.of(),
                Usage.none().pressure());
    }

    /** {@return processor time; empty if the cgroup is in no hierarchy of cpuacct} */
    public static Optional<Duration> cpuTime(Reading reading, V1Driver driver) throws IOException {
        return in(reading, driver, "cpuacct", files -> {
            var nanos = files.number("cpuacct.usage");
            return nanos.isPresent() ? Optional.of(Duration.ofNanos(nanos.getAsLong())) : Optional.empty();
        });
    }

    /** Reads in the directory of one controller. */
    @FunctionalInterface
    private interface Part<T> {
        Optional<T> read(Reading.Directory files) throws IOException;
    }

    private static <T> Optional<T> in(Reading reading, V1Driver driver, String controller, Part<T> part)
            throws IOException {
        Optional<Path> directory = driver.directory(controller);
        if (directory.isEmpty()) {
            return Optional.empty();
        }
        try (var files = reading.open(directory.get())) {
            return part.read(files);
        }
    }

    private static Optional<Usage.Cpu> cpu(Reading.Directory files) throws IOException {
        var total = files.number("cpuacct.usage");
        if (total.isEmpty()) {
            return Optional.empty();
        }
        var user = files.number("cpuacct.usage_user");
        var system = files.number("cpuacct.usage_sys");
        if (user.isEmpty() || system.isEmpty()) { // Before Linux 4.8.
            var ticks = files.text("cpuacct.stat").map(CPUACCT::parse);
            user = OptionalLong.of(ticks.map(t -> t.orZero(0)).orElse(0L) * NANOS_PER_TICK);
            system = OptionalLong.of(ticks.map(t -> t.orZero(1)).orElse(0L) * NANOS_PER_TICK);
        }
        return Optional.of(new Usage.Cpu(
                Duration.ofNanos(total.getAsLong()),
                Duration.ofNanos(user.getAsLong()),
                Duration.ofNanos(system.getAsLong())));
    }

    /** {@return what a limit of time did, as cpu.stat says} */
    public static Optional<Usage.Throttling> throttling(Reading.Directory files) throws IOException {
        return files.text("cpu.stat")
                .map(CPU::parse)
                .filter(f -> f.get(0).isPresent())
                .map(found -> {
                    var burst = found.get(4);
                    return new Usage.Throttling(
                            found.orZero(0),
                            found.orZero(1),
                            Duration.ofNanos(found.orZero(2)),
                            found.get(3),
                            burst.isPresent() ? Optional.of(Duration.ofNanos(burst.getAsLong())) : Optional.empty());
                });
    }

    /** Memory and swap, which are in one file that is expensive to make. */
    private record Charged(Usage.Memory memory, Optional<Usage.Swap> swap) {}

    private static Optional<Charged> memory(Reading.Directory files) throws IOException {
        var now = files.number("memory.usage_in_bytes");
        if (now.isEmpty()) {
            return Optional.empty();
        }
        var peak = files.number("memory.max_usage_in_bytes");
        var events = memoryEvents(files);
        var kernel = files.number("memory.kmem.usage_in_bytes");
        // Memory and swap are limited together, and only with swapaccount=1; what is swap has to be looked up.
        var swapMax = files.number("memory.memsw.failcnt");
        var stat = files.text("memory.stat").map(MEMORY::parse);
        var memory = new Usage.Memory(
                now.getAsLong(),
                peak,
                events,
                stat.isPresent() ? stat.get().get(1) : OptionalLong.empty(),
                stat.isPresent() ? stat.get().get(0) : OptionalLong.empty(),
                kernel);
        return Optional.of(new Charged(
                memory,
                stat.filter(_ -> swapMax.isPresent())
                        .map(found -> new Usage.Swap(
                                found.orZero(2),
                                OptionalLong.empty(),
                                OptionalLong.empty(),
                                swapMax,
                                OptionalLong.empty()))));
    }

    private static Usage.MemoryEvents memoryEvents(Reading.Directory files) throws IOException {
        var max = files.number("memory.failcnt");
        var oom = files.text("memory.oom_control").map(OOM_CONTROL::parse);
        return new Usage.MemoryEvents(
                OptionalLong.empty(),
                OptionalLong.empty(),
                max,
                OptionalLong.empty(),
                oom.isPresent() ? oom.get().get(0) : OptionalLong.empty(),
                OptionalLong.empty());
    }

    private static Optional<Map<BlockDevice, Usage.Io>> io(Reading.Directory files) throws IOException {
        var sums = new LinkedHashMap<BlockDevice, long[]>();
        files.text("blkio.throttle.io_service_bytes_recursive").ifPresent(text -> add(text, sums, 0));
        files.text("blkio.throttle.io_serviced_recursive").ifPresent(text -> add(text, sums, OPERATIONS));
        var all = new HashMap<BlockDevice, Usage.Io>();
        sums.forEach((disk, n) -> all.put(disk, new Usage.Io(n[0], n[1], n[2], n[3], n[4], n[5])));
        return Optional.of(all);
    }

    /** Lines {@code MAJOR:MINOR Read 123}; the kernel has Write, Sync, Async, Discard and Total beside. */
    static void add(Text text, Map<BlockDevice, long[]> sums, int offset) {
        for (; text.hasMore(); text.nextLine()) {
            var disk = DeviceNumber.read(text);
            if (disk.isEmpty()) {
                continue;
            }
            text.skipBlanks();
            int what = switch (text.word()) {
                case "Read" -> 0;
                case "Write" -> 1;
                case "Discard" -> 2;
                default -> -1;
            };
            text.skipBlanks();
            var count = text.number();
            if (what >= 0 && count.isPresent()) {
                sums.computeIfAbsent(disk.get(), _ -> new long[2 * OPERATIONS])[offset + what] = count.getAsLong();
            }
        }
    }

    private static Optional<Usage.Pids> pids(Reading.Directory files) throws IOException {
        var current = files.number("pids.current");
        if (current.isEmpty()) {
            return Optional.empty();
        }
        var peak = files.number("pids.peak");
        var events = files.text("pids.events").map(MAX::parse);
        return Optional.of(new Usage.Pids(
                current.getAsLong(), peak, events.isPresent() ? events.get().get(0) : OptionalLong.empty()));
    }

    private static Optional<Map<Long, Usage.Hugetlb>> hugetlb(Reading.Directory files) throws IOException {
        var all = new HashMap<Long, Usage.Hugetlb>();
        for (var size : HugePages.sizes()) {
            var now = files.number("hugetlb." + size.name() + ".usage_in_bytes");
            if (now.isPresent()) {
                all.put(
                        size.bytes(),
                        new Usage.Hugetlb(now.getAsLong(), files.number("hugetlb." + size.name() + ".failcnt")));
            }
        }
        return Optional.of(all);
    }
}
