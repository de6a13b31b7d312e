// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import dev.caisson.cgroups.text.NumberList;
import dev.caisson.linux.ByteUnit;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedSet;
import java.util.regex.Pattern;

/**
 * One limit, with its value: all that both versions of cgroups have. Each is named as the option is, {@code MemoryMax} for
 * {@code memoryMax}, and that as the file of version 2, {@code memory.max}. How the versions enforce them is decided elsewhere,
 * by switches that are complete because this type is sealed. A constructor throws {@link IllegalArgumentException} for a value
 * that no kernel takes.
 */
public sealed interface Limit
        permits Limit.MemoryLimit,
                Limit.CpuLimit,
                Limit.CpusetLimit,
                Limit.IoLimit,
                Limit.PidsMax,
                Limit.HugetlbMax,
                Limit.RdmaMax,
                Limit.MiscMax,
                Limit.NetLimit,
                Limit.Unified,
                DeviceRules {

    /** {@return its name as users write it, such as {@code memoryMax}; errors begin with it} */
    default String option() {
        return LimitNames.option(this);
    }

    /** {@return the controller that enforces it, by its name in version 2; empty for files that every cgroup has} */
    default String controller() {
        return LimitNames.controller(this);
    }

    /** {@return what it limits, where one cgroup has several such limits, such as a disk; else empty} */
    default String subject() {
        return LimitNames.subject(this);
    }

    /**
     * An upper bound: a number, or none at all, which the kernel's files spell {@code max}.
     *
     * @param value empty: without bound
     */
    record Amount(OptionalLong value) {
        private static final Amount MAX = new Amount(OptionalLong.empty());

        /** {@return a bound at this number} */
        public static Amount of(long value) {
            return new Amount(OptionalLong.of(value));
        }

        /** {@return no bound: for lifting one that was set before} */
        public static Amount max() {
            return MAX;
        }

        /** {@return the number, or {@code max}} */
        @Override
        public String toString() {
            return value.isPresent() ? Long.toString(value.getAsLong()) : "max";
        }
    }

    /** Limits of the memory controller. Amounts are bytes. */
    sealed interface MemoryLimit extends Limit {}

    /** Memory, swap not included; past it the kernel kills a process (memory.max; v1 memory.limit_in_bytes). Positive. */
    record MemoryMax(Amount bytes) implements MemoryLimit {
        public MemoryMax {
            var _ = Check.positive("memoryMax", bytes);
        }
    }

    /** Past it processes are slowed and reclaimed, never killed (memory.high; version 2 only). Positive. */
    record MemoryHigh(Amount bytes) implements MemoryLimit {
        public MemoryHigh {
            var _ = Check.positive("memoryHigh", bytes);
        }
    }

    /** Not reclaimed below it while others have some (memory.low; v1 memory.soft_limit_in_bytes, as OCI's reservation). */
    record MemoryLow(Amount bytes) implements MemoryLimit {
        public MemoryLow {
            var _ = Check.notNegative("memoryLow", bytes);
        }
    }

    /** Never reclaimed below it (memory.min; version 2 only). */
    record MemoryMin(Amount bytes) implements MemoryLimit {
        public MemoryMin {
            var _ = Check.notNegative("memoryMin", bytes);
        }
    }

    /**
     * Swap alone; 0 is a real limit (memory.swap.max). Version 1 limits memory and swap together, so that it requires
     * {@link MemoryMax} beside it there, and is kept when that changes.
     */
    record SwapMax(Amount bytes) implements MemoryLimit {
        public SwapMax {
            var _ = Check.notNegative("swapMax", bytes);
        }
    }

    /** Swap past which allocations are slowed (memory.swap.high; version 2 since Linux 5.8). */
    record SwapHigh(Amount bytes) implements MemoryLimit {
        public SwapHigh {
            var _ = Check.notNegative("swapHigh", bytes);
        }
    }

    /** Compressed swap in memory (memory.zswap.max; version 2 since Linux 5.19). */
    record ZswapMax(Amount bytes) implements MemoryLimit {
        public ZswapMax {
            var _ = Check.notNegative("zswapMax", bytes);
        }
    }

    /** Whether running out of memory kills all processes of the cgroup or one (memory.oom.group; version 2 only). */
    record OomGroup(boolean whole) implements MemoryLimit {}

    /** How eagerly to swap, 0 to 100, 60 being usual (v1 memory.swappiness; version 2 has none per cgroup). */
    record Swappiness(int percent) implements MemoryLimit {
        public Swappiness {
            var _ = Check.within("swappiness", percent, 0, 100);
        }
    }

    /**
     * Not to kill when memory runs out (v1 memory.oom_control; version 2 has none).
     *
     * @apiNote A trap: a process that wants memory then sleeps in the kernel, not even SIGKILL from outside helps it
     *     allocate, and locks it holds stay held, until the limit is raised or another process of the cgroup ends.
     */
    record OomKillDisable(boolean disabled) implements MemoryLimit {}

    /** Buffers of TCP sockets (v1 memory.kmem.tcp.limit_in_bytes; version 2 counts them in {@link MemoryMax}). */
    record KernelTcpMax(Amount bytes) implements MemoryLimit {
        public KernelTcpMax {
            var _ = Check.notNegative("kernelTcpMax", bytes);
        }
    }

    /** Limits of the cpu controller. */
    sealed interface CpuLimit extends Limit {}

    /**
     * So much CPU time in each period, over all processors (cpu.max; v1 cpu.cfs_quota_us and cpu.cfs_period_us).
     *
     * @param quota 1 ms or more; empty: without bound
     * @param period 1 ms to 1 s
     */
    record CpuMax(Optional<Duration> quota, Duration period) implements CpuLimit {
        private static final Duration USUAL_PERIOD = Duration.ofMillis(100);
        private static final double LEAST = 0.01;
        private static final int MOST = 8192;

        public CpuMax {
            quota.ifPresent(q -> {
                var _ = Check.micros("cpuMax quota", q, 1000, 1_000_000L * MOST);
            });
            var _ = Check.micros("cpuMax period", period, 1000, 1_000_000);
        }

        /** {@return CPU time per second of wall time, with the usual period of 100 ms: 1.5 is one and a half cores} */
        public static CpuMax cpus(double cpus) {
            if (!(cpus >= LEAST && cpus <= MOST)) {
                throw new IllegalArgumentException("cpus: " + cpus + " is not within " + LEAST + " to " + MOST);
            }
            return new CpuMax(Optional.of(Duration.ofNanos(1000 * Math.round(cpus * 100_000))), USUAL_PERIOD);
        }
    }

    /** Unused quota that may be saved up and spent at once (cpu.max.burst; v1 cpu.cfs_burst_us; since Linux 5.14). */
    record CpuBurst(Duration time) implements CpuLimit {
        public CpuBurst {
            var _ = Check.micros("cpuBurst", time, 0, 1_000_000L * 8192);
        }
    }

    /** Share among busy siblings, 1 to 10000, 100 being usual (cpu.weight; v1 cpu.shares, converted). */
    record CpuWeight(int weight) implements CpuLimit {
        public CpuWeight {
            var _ = Check.within("cpuWeight", weight, 1, 10_000);
        }
    }

    /** Share among busy siblings as version 1 and OCI count it, 2 to 262144, 1024 being usual (v1 cpu.shares; cpu.weight, converted). */
    record CpuShares(long shares) implements CpuLimit {
        public CpuShares {
            var _ = Check.within("cpuShares", shares, 2, 262_144);
        }
    }

    /** To run only when nobody else wants the processor (cpu.idle; since Linux 5.15). Without a weight of its own. */
    record CpuIdle(boolean idle) implements CpuLimit {}

    /**
     * Time for tasks with a realtime policy (v1 cpu.rt_runtime_us and cpu.rt_period_us; version 2 has none).
     *
     * @param runtime not more than the period
     */
    record CpuRealtime(Duration runtime, Duration period) implements CpuLimit {
        public CpuRealtime {
            long most = Check.micros("cpuRealtime period", period, 1, 1_000_000L * 3600);
            var _ = Check.micros("cpuRealtime runtime", runtime, 0, most);
        }
    }

    /**
     * Bounds of the utilisation the frequency governor sees, in hundredths of a percent (cpu.uclamp.min, cpu.uclamp.max;
     * version 2, and a kernel built with CONFIG_UCLAMP_TASK_GROUP).
     *
     * @param least 0 to 10000
     * @param most {@code least} to 10000
     */
    record CpuUtilisation(int least, int most) implements CpuLimit {
        public CpuUtilisation {
            var _ = Check.within("cpuUtilisation most", most, 0, 10_000);
            var _ = Check.within("cpuUtilisation least", least, 0, most);
        }
    }

    /** Limits of the cpuset controller. Lists are not empty, and numbers at most 8191. */
    sealed interface CpusetLimit extends Limit {}

    /** The processors to run on (cpuset.cpus). */
    record Cpuset(SortedSet<Integer> cpus) implements CpusetLimit {
        public Cpuset {
            cpus = NumberList.checked("cpuset", cpus);
        }

        /** {@return it from the kernel's notation, such as {@code 0-3,8}} */
        public static Cpuset of(String list) {
            return new Cpuset(NumberList.parse("cpuset", list));
        }
    }

    /** The memory nodes to allocate on (cpuset.mems). */
    record CpusetMems(SortedSet<Integer> nodes) implements CpusetLimit {
        public CpusetMems {
            nodes = NumberList.checked("cpusetMems", nodes);
        }

        /** {@return it from the kernel's notation, such as {@code 0,1}} */
        public static CpusetMems of(String list) {
            return new CpusetMems(NumberList.parse("cpusetMems", list));
        }
    }

    /** Processors nobody else's partition may have (cpuset.cpus.exclusive; version 2 since Linux 6.7). */
    record CpusetExclusive(SortedSet<Integer> cpus) implements CpusetLimit {
        public CpusetExclusive {
            cpus = NumberList.checked("cpusetExclusive", cpus);
        }
    }

    /** Whether the cgroup's processors leave the parent's scheduling domain (cpuset.cpus.partition; version 2 only). */
    record CpusetPartition(Kind kind) implements CpusetLimit {
        /** What becomes of the processors. */
        public enum Kind {
            /** They stay in the parent's domain. */
            MEMBER,
            /** They are a domain of their own. */
            ROOT,
            /** They are a domain without load balancing. */
            ISOLATED;

            /** {@return the kernel's word} */
            @Override
            public String toString() {
                return name().toLowerCase(Locale.ROOT);
            }
        }
    }

    /** Limits of the io controller, which version 1 calls blkio. */
    sealed interface IoLimit extends Limit {}

    /**
     * Bytes and operations per second of one device (io.max; v1 blkio.throttle.*). All positive.
     *
     * @param readBytes per second
     * @param writeBytes per second
     * @param reads operations per second
     * @param writes operations per second
     */
    record IoMax(BlockDevice device, Amount readBytes, Amount writeBytes, Amount reads, Amount writes)
            implements IoLimit {
        private static final long MOST_OPERATIONS = 0xffff_ffffL;

        public IoMax {
            var _ = Check.positive("ioMax", readBytes);
            var _ = Check.positive("ioMax", writeBytes);
            operations(reads);
            operations(writes);
        }

        private static void operations(Amount amount) {
            amount.value().ifPresent(n -> {
                var _ = Check.within("ioMax", n, 1, MOST_OPERATIONS);
            });
        }

        /** {@return no bound yet for a device, or for the one that a file is stored on} */
        public static IoMax of(Path deviceOrFile) {
            return of(BlockDevice.of("ioMax", deviceOrFile));
        }

        /** {@return no bound yet for a device} */
        public static IoMax of(BlockDevice device) {
            return new IoMax(device, Amount.max(), Amount.max(), Amount.max(), Amount.max());
        }

        /** {@return this with a bound on reading, per second} */
        public IoMax readBytes(long amount, ByteUnit unit) {
            return new IoMax(device, Check.bytes("ioMax", amount, unit), writeBytes, reads, writes);
        }

        /** {@return this with a bound on writing, per second} */
        public IoMax writeBytes(long amount, ByteUnit unit) {
            return new IoMax(device, readBytes, Check.bytes("ioMax", amount, unit), reads, writes);
        }

        /** {@return this with a bound on read operations per second} */
        public IoMax reads(long operations) {
            return new IoMax(device, readBytes, writeBytes, Amount.of(operations), writes);
        }

        /** {@return this with a bound on write operations per second} */
        public IoMax writes(long operations) {
            return new IoMax(device, readBytes, writeBytes, reads, Amount.of(operations));
        }
    }

    /**
     * Share of all devices among busy siblings, 1 to 10000, 100 being usual (io.weight, else io.bfq.weight; v1
     * blkio.bfq.weight, else blkio.weight, converted).
     */
    record IoWeight(int weight) implements IoLimit {
        public IoWeight {
            var _ = Check.within("ioWeight", weight, 1, 10_000);
        }
    }

    /** Share of one device among busy siblings, 1 to 10000. */
    record IoDeviceWeight(BlockDevice device, int weight) implements IoLimit {
        public IoDeviceWeight {
            var _ = Check.within("ioWeight", weight, 1, 10_000);
        }
    }

    /** A latency to protect; siblings with a greater one are throttled when it is missed (io.latency; version 2 only). */
    record IoLatency(BlockDevice device, Duration target) implements IoLimit {
        public IoLatency {
            var _ = Check.micros("ioLatency", target, 1, 1_000_000L * 3600);
        }
    }

    /** Processes and threads at one time (pids.max). Positive: with none at all not even the first process could start. */
    record PidsMax(Amount processes) implements Limit {
        private static final long MOST = 4_194_304;

        public PidsMax {
            processes.value().ifPresent(n -> {
                var _ = Check.within("pidsMax", n, 1, MOST);
            });
        }
    }

    /**
     * Bytes of huge pages of one size (hugetlb.2MB.max; v1 hugetlb.2MB.limit_in_bytes).
     *
     * @param pageBytes a power of two
     * @param reserved whether reservations are limited rather than pages in use (hugetlb.2MB.rsvd.max, Linux 5.7)
     * @param bytes 0 or more
     */
    record HugetlbMax(long pageBytes, boolean reserved, Amount bytes) implements Limit {
        public HugetlbMax {
            if (Long.bitCount(pageBytes) != 1 || pageBytes < 1024) {
                throw new IllegalArgumentException(
                        "hugetlbMax: a page of " + pageBytes + " bytes is not a power of two");
            }
            var _ = Check.notNegative("hugetlbMax", bytes);
        }

        /** {@return the size of a page as file names spell it: {@code 64KB}, {@code 2MB}, {@code 1GB}} */
        public String pageSize() {
            if (pageBytes >= 1L << 30) {
                return (pageBytes >> 30) + "GB";
            }
            return pageBytes >= 1L << 20 ? (pageBytes >> 20) + "MB" : (pageBytes >> 10) + "KB";
        }
    }

    /**
     * Resources of an RDMA device (rdma.max).
     *
     * @param device such as {@code mlx5_0}
     * @param handles HCA handles, 0 or more
     * @param objects HCA objects, 0 or more
     */
    record RdmaMax(String device, Amount handles, Amount objects) implements Limit {
        public RdmaMax {
            var _ = Check.word("rdmaMax", device);
            var _ = Check.notNegative("rdmaMax", handles);
            var _ = Check.notNegative("rdmaMax", objects);
        }
    }

    /**
     * A scalar resource of the host, such as {@code sev} key slots (misc.max; Linux 5.13).
     *
     * @param amount 0 or more
     */
    record MiscMax(String resource, Amount amount) implements Limit {
        public MiscMax {
            var _ = Check.word("miscMax", resource);
            var _ = Check.notNegative("miscMax", amount);
        }
    }

    /** Marks on packets, for the traffic control of the host. Version 1 only. */
    sealed interface NetLimit extends Limit {}

    /** The class its packets belong to, for tc(8) (net_cls.classid). 0 to 0xffffffff. */
    record NetClassId(long id) implements NetLimit {
        public NetClassId {
            var _ = Check.within("netClassId", id, 0, 0xffff_ffffL);
        }
    }

    /**
     * The priority of its packets on one interface (net_prio.ifpriomap).
     *
     * @param priority 0 or more
     */
    record NetPriority(String networkInterface, long priority) implements NetLimit {
        public NetPriority {
            var _ = Check.word("netPriority", networkInterface);
            var _ = Check.within("netPriority", priority, 0, 0xffff_ffffL);
        }
    }

    /**
     * A value for a file of version 2 by its name: for what has no name here. Written after all other limits.
     *
     * @param key such as {@code memory.high}; not one of the files by which processes and children are managed
     * @param value one line or several
     */
    record Unified(String key, String value) implements Limit {
        private static final Pattern KEY = Pattern.compile("[a-z][a-z0-9_]*(\\.[A-Za-z0-9_-]+)+");
        private static final Set<String> MANAGED = Set.of(
                "cgroup.procs",
                "cgroup.threads",
                "cgroup.subtree_control",
                "cgroup.type",
                "cgroup.kill",
                "cgroup.freeze");

        public Unified {
            if (!KEY.matcher(key).matches()) {
                throw new IllegalArgumentException(
                        "unified: \"" + key + "\" is not the name of a file such as memory.high");
            }
            if (MANAGED.contains(key)) {
                throw new IllegalArgumentException(
                        "unified: " + key + " is not a limit; it manages processes or children");
            }
            if (value.isEmpty() || value.indexOf('\0') >= 0) {
                // An empty write means 0 to some files and nothing to others.
                throw new IllegalArgumentException("unified: the value for " + key + " is empty or holds NUL");
            }
        }
    }
}
