// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import dev.caisson.cgroups.spec.BlockDevice;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.cgroups.text.FlatKeyed;
import dev.caisson.cgroups.text.NestedKeyed;
import dev.caisson.cgroups.text.Values;
import dev.caisson.cgroups.usage.DeviceNumber;
import dev.caisson.cgroups.usage.HugePages;
import dev.caisson.cgroups.usage.Micros;
import dev.caisson.cgroups.usage.PressureFile;
import dev.caisson.cgroups.usage.Reading;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Reads what a cgroup of the unified hierarchy uses. The first file of a controller that is missing spares the others. */
public final class UsageFiles {
    private static final FlatKeyed CPU = new FlatKeyed(
            "usage_usec",
            "user_usec",
            "system_usec",
            "nr_periods",
            "nr_throttled",
            "throttled_usec",
            "nr_bursts",
            "burst_usec");
    private static final FlatKeyed MEMORY = new FlatKeyed("anon", "file", "kernel");
    private static final FlatKeyed MEMORY_EVENTS =
            new FlatKeyed("low", "high", "max", "oom", "oom_kill", "oom_group_kill");
    private static final FlatKeyed SWAP_EVENTS = new FlatKeyed("high", "max", "fail");
    private static final FlatKeyed MAX = new FlatKeyed("max");
    private static final NestedKeyed IO = new NestedKeyed("rbytes", "wbytes", "rios", "wios", "dbytes", "dios");

    private UsageFiles() {}

    /** {@return what the files say} */
    public static Usage read(Reading.Directory files) throws IOException {
        var cpu = flat(files, "cpu.stat", CPU);
        var memory = files.number("memory.current");
        var pids = files.number("pids.current");
        return new Usage(
                cpu.map(UsageFiles::cpu),
                cpu.flatMap(UsageFiles::throttling),
                memory.isPresent() ? Optional.of(memory(files, memory.getAsLong())) : Optional.empty(),
                memory.isPresent() ? swap(files) : Optional.empty(),
                io(files),
                pids.isPresent() ? Optional.of(pids(files, pids.getAsLong())) : Optional.empty(),
                hugetlb(files),
                rdma(files),
                misc(files),
                new Usage.Stalls(
                        stall(files, "cpu.pressure"),
                        stall(files, "memory.pressure"),
                        stall(files, "io.pressure"),
                        stall(files, "irq.pressure")));
    }

    private static Optional<Values> flat(Reading.Directory files, String file, FlatKeyed keys) throws IOException {
        return files.text(file).map(keys::parse);
    }

    /** {@return processor time, which needs no controller} */
    public static Optional<Duration> cpuTime(Reading.Directory files) throws IOException {
        return flat(files, "cpu.stat", CPU)
                .flatMap(found -> found.get(0).isPresent()
                        ? Optional.of(Micros.duration(found.get(0).getAsLong()))
                        : Optional.empty());
    }

    private static Usage.Cpu cpu(Values found) {
        return new Usage.Cpu(
                Micros.duration(found.orZero(0)), Micros.duration(found.orZero(1)), Micros.duration(found.orZero(2)));
    }

    /** {@return what a limit of time did, as cpu.stat says} */
    public static Optional<Usage.Throttling> throttling(Reading.Directory files) throws IOException {
        return flat(files, "cpu.stat", CPU).flatMap(UsageFiles::throttling);
    }

    private static Optional<Usage.Throttling> throttling(Values found) {
        var periods = found.get(3);
        var burst = found.get(7);
        return periods.isEmpty() // The cpu controller is not here.
                ? Optional.empty()
                : Optional.of(new Usage.Throttling(
                        periods.getAsLong(),
                        found.orZero(4),
                        Micros.duration(found.orZero(5)),
                        found.get(6),
                        burst.isPresent() ? Optional.of(Micros.duration(burst.getAsLong())) : Optional.empty()));
    }

    private static Usage.Memory memory(Reading.Directory files, long current) throws IOException {
        var peak = files.number("memory.peak");
        var events = flat(files, "memory.events", MEMORY_EVENTS).map(UsageFiles::memoryEvents);
        var stat = flat(files, "memory.stat", MEMORY);
        return new Usage.Memory(
                current,
                peak,
                events.orElse(Usage.MemoryEvents.NONE),
                stat.isPresent() ? stat.get().get(0) : OptionalLong.empty(),
                stat.isPresent() ? stat.get().get(1) : OptionalLong.empty(),
                stat.isPresent() ? stat.get().get(2) : OptionalLong.empty());
    }

    private static Usage.MemoryEvents memoryEvents(Values found) {
        return new Usage.MemoryEvents(
                found.get(0), found.get(1), found.get(2), found.get(3), found.get(4), found.get(5));
    }

    private static Optional<Usage.Swap> swap(Reading.Directory files) throws IOException {
        var current = files.number("memory.swap.current");
        if (current.isEmpty()) {
            return Optional.empty();
        }
        var peak = files.number("memory.swap.peak");
        var events = flat(files, "memory.swap.events", SWAP_EVENTS);
        return Optional.of(new Usage.Swap(
                current.getAsLong(),
                peak,
                events.isPresent() ? events.get().get(0) : OptionalLong.empty(),
                events.isPresent() ? events.get().get(1) : OptionalLong.empty(),
                events.isPresent() ? events.get().get(2) : OptionalLong.empty()));
    }

    private static Map<BlockDevice, Usage.Io> io(Reading.Directory files) throws IOException {
        var text = files.text("io.stat");
        if (text.isEmpty()) {
            return Map.of();
        }
        var all = new HashMap<BlockDevice, Usage.Io>();
        IO.parse(text.get(), DeviceNumber::read)
                .forEach((disk, found) -> all.put(
                        disk,
                        new Usage.Io(
                                found.orZero(0),
                                found.orZero(1),
                                found.orZero(4),
                                found.orZero(2),
                                found.orZero(3),
                                found.orZero(5))));
        return all;
    }

    private static Usage.Pids pids(Reading.Directory files, long current) throws IOException {
        return new Usage.Pids(current, files.number("pids.peak"), maxEvents(files, "pids.events"));
    }

    private static OptionalLong maxEvents(Reading.Directory files, String file) throws IOException {
        var text = files.text(file);
        return text.isPresent() ? MAX.parse(text.get()).get(0) : OptionalLong.empty();
    }

    private static Map<Long, Usage.Hugetlb> hugetlb(Reading.Directory files) throws IOException {
        var all = new HashMap<Long, Usage.Hugetlb>();
        for (var size : HugePages.sizes()) {
            var current = files.number("hugetlb." + size.name() + ".current");
            if (current.isEmpty()) {
                break;
            }
            var events = maxEvents(files, "hugetlb." + size.name() + ".events");
            all.put(size.bytes(), new Usage.Hugetlb(current.getAsLong(), events));
        }
        return all;
    }

    private static Map<String, Long> rdma(Reading.Directory files) throws IOException {
        var text = files.text("rdma.current");
        var all = new LinkedHashMap<String, Long>();
        if (text.isPresent()) {
            var keys = new NestedKeyed("hca_handle", "hca_object");
            keys.parse(text.get(), t -> Optional.of(t.word()).filter(w -> !w.isEmpty()))
                    .forEach((device, found) -> {
                        all.put(device + " hca_handle", found.orZero(0));
                        all.put(device + " hca_object", found.orZero(1));
                    });
        }
        return all;
    }

    private static Map<String, Long> misc(Reading.Directory files) throws IOException {
        var text = files.text("misc.current");
        var all = new LinkedHashMap<String, Long>();
        for (; text.isPresent() && text.get().hasMore(); text.get().nextLine()) {
            String resource = text.get().word();
            text.get().skipBlanks();
            text.get().number().ifPresent(used -> all.put(resource, used));
        }
        return all;
    }

    private static Optional<Usage.Stall> stall(Reading.Directory files, String file) throws IOException {
        return files.text(file).map(PressureFile::parse);
    }
}
