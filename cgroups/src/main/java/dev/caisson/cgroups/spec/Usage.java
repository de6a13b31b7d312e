// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a cgroup, with all below it, uses and has used at one moment. Immutable. What no controller of this machine counts is
 * empty; version 1 is mapped to the same fields. Counters begin when the cgroup is made.
 *
 * @param cpu processor time; version 2 has it without the cpu controller
 * @param throttling what a limit of processor time did; empty without the cpu controller
 * @param memory as the memory controller charges it
 * @param swap as the memory controller charges it; version 1 only with swapaccount=1
 * @param io by disk, those that were used
 * @param pids processes and threads
 * @param hugetlb by size of page in bytes
 * @param rdma by device and resource, such as {@code mlx4_0 hca_handle}
 * @param misc by resource, such as {@code sev}; Linux 5.13
 * @param pressure time lost by waiting for resources; version 2 only
 */
public record Usage(
        Optional<Cpu> cpu,
        Optional<Throttling> throttling,
        Optional<Memory> memory,
        Optional<Swap> swap,
        Map<BlockDevice, Io> io,
        Optional<Pids> pids,
        Map<Long, Hugetlb> hugetlb,
        Map<String, Long> rdma,
        Map<String, Long> misc,
        Stalls pressure) {
    private static final Usage NONE = new Usage(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Map.of(),
            Optional.empty(),
            Map.of(),
            Map.of(),
            Map.of(),
            new Stalls(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty()));

    public Usage {
        io = Map.copyOf(io);
        hugetlb = Map.copyOf(hugetlb);
        rdma = Map.copyOf(rdma);
        misc = Map.copyOf(misc);
    }

    /** {@return the usage of nothing: all empty} */
    public static Usage none() {
        return NONE;
    }

    /** {@return processor time of all processes} */
    public Optional<Duration> cpuTime() {
        return cpu.map(Cpu::time);
    }

    /** {@return memory now, page cache included} */
    public OptionalLong memoryBytes() {
        return memory.isPresent() ? OptionalLong.of(memory.get().bytes()) : OptionalLong.empty();
    }

    /** {@return the most memory there ever was; version 2 has it since Linux 5.19} */
    public OptionalLong memoryPeakBytes() {
        return memory.isPresent() ? memory.get().peakBytes() : OptionalLong.empty();
    }

    /**
     * Processor time (cpu.stat; v1 cpuacct.usage).
     *
     * @param time user and system together
     */
    public record Cpu(Duration time, Duration user, Duration system) {}

    /**
     * What {@code cpus} did to it (cpu.stat).
     *
     * @param periods in which it ran
     * @param throttledPeriods in which it was stopped for having used up its quota
     * @param throttledTime how long it was stopped, added up over all processors
     * @param bursts periods in which it used more than its quota, saved up before; Linux 5.15
     * @param burstTime how much more
     */
    public record Throttling(
            long periods,
            long throttledPeriods,
            Duration throttledTime,
            OptionalLong bursts,
            Optional<Duration> burstTime) {}

    /**
     * Memory (memory.current, .peak, .events, .stat; v1 memory.usage_in_bytes, .max_usage_in_bytes, .failcnt, .oom_control,
     * .stat).
     *
     * @param bytes now, page cache included
     * @param peakBytes the most there ever was; version 2 has it since Linux 5.19
     * @param anonBytes what belongs to no file
     * @param fileBytes page cache, tmpfs included
     * @param kernelBytes what the kernel holds for it; version 2 has it since Linux 5.18
     */
    public record Memory(
            long bytes,
            OptionalLong peakBytes,
            MemoryEvents events,
            OptionalLong anonBytes,
            OptionalLong fileBytes,
            OptionalLong kernelBytes) {}

    /**
     * How often limits of memory were met, here and below (memory.events). Version 1 counts {@code max} (memory.failcnt) and
     * {@code oomKill}, and not what is below.
     *
     * @param low reclaimed although below memoryLow
     * @param high slowed and reclaimed for being above memoryHigh
     * @param max about to exceed memoryMax, and reclaimed
     * @param oom reclaiming was not enough, so that an allocation was about to fail
     * @param oomKill processes that the out-of-memory killer took, whoever's limit it was
     * @param oomGroupKill times it took all of a cgroup; Linux 5.17
     */
    public record MemoryEvents(
            OptionalLong low,
            OptionalLong high,
            OptionalLong max,
            OptionalLong oom,
            OptionalLong oomKill,
            OptionalLong oomGroupKill) {
        /** Nothing is known. */
        public static final MemoryEvents NONE = new MemoryEvents(
                OptionalLong.empty(),
                OptionalLong.empty(),
                OptionalLong.empty(),
                OptionalLong.empty(),
                OptionalLong.empty(),
                OptionalLong.empty());
    }

    /**
     * Swap (memory.swap.current, .peak, .events; v1 from memory.stat).
     *
     * @param bytes now
     * @param peakBytes the most there ever was; version 2 since Linux 6.5
     * @param high slowed for being above memory.swap.high
     * @param max about to exceed swapMax
     * @param fail swap was refused, by the limit or for lack of it
     */
    public record Swap(long bytes, OptionalLong peakBytes, OptionalLong high, OptionalLong max, OptionalLong fail) {}

    /**
     * What went to and came from one disk (io.stat; v1 blkio.throttle.io_service_bytes and io_serviced). What is still in the
     * page cache did not.
     */
    public record Io(
            long readBytes,
            long writeBytes,
            long discardBytes,
            long readOperations,
            long writeOperations,
            long discardOperations) {}

    /**
     * Processes and threads (pids.current, .peak, .events).
     *
     * @param current now
     * @param peak the most there ever were; Linux 6.1
     * @param maxEvents how often fork(2) failed because of pidsMax
     */
    public record Pids(long current, OptionalLong peak, OptionalLong maxEvents) {}

    /**
     * Huge pages of one size (hugetlb.SIZE.current, .events; v1 usage_in_bytes, .failcnt).
     *
     * @param bytes now
     * @param maxEvents how often the limit was met
     */
    public record Hugetlb(long bytes, OptionalLong maxEvents) {}

    /** Pressure stall information by resource (cpu.pressure and so on; irq since Linux 6.1, if the kernel counts its time). */
    public record Stalls(Optional<Stall> cpu, Optional<Stall> memory, Optional<Stall> io, Optional<Stall> irq) {}

    /**
     * Time lost by waiting for one resource.
     *
     * @param some at least one task waited; empty for irq
     * @param full all tasks that were not idle waited at once; before Linux 5.13 empty for cpu
     */
    public record Stall(Optional<Share> some, Optional<Share> full) {}

    /**
     * How much time was lost.
     *
     * @param avg10 percent of the last 10 seconds
     * @param avg60 percent of the last minute
     * @param avg300 percent of the last 5 minutes
     * @param total since the cgroup was made
     */
    public record Share(double avg10, double avg60, double avg300, Duration total) {}
}
