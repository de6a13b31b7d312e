// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

/** Limits of the memory controller. Amounts are bytes. */
public sealed interface MemoryLimit extends Limit {
    @Override
    default String controller() {
        return "memory";
    }

    /** Memory, swap not included; past it the kernel kills a process (memory.max; v1 memory.limit_in_bytes). Positive. */
    record Max(Amount bytes) implements MemoryLimit {
        public Max {
            var _ = Check.positive("memoryMax", bytes);
        }

        @Override
        public String option() {
            return "memoryMax";
        }
    }

    /** Past it processes are slowed and reclaimed, never killed (memory.high; version 2 only). Positive. */
    record High(Amount bytes) implements MemoryLimit {
        public High {
            var _ = Check.positive("memoryHigh", bytes);
        }

        @Override
        public String option() {
            return "memoryHigh";
        }
    }

    /** Not reclaimed below it while others have some (memory.low; v1 memory.soft_limit_in_bytes, as OCI's reservation). */
    record Low(Amount bytes) implements MemoryLimit {
        public Low {
            var _ = Check.notNegative("memoryLow", bytes);
        }

        @Override
        public String option() {
            return "memoryLow";
        }
    }

    /** Never reclaimed below it (memory.min; version 2 only). */
    record Min(Amount bytes) implements MemoryLimit {
        public Min {
            var _ = Check.notNegative("memoryMin", bytes);
        }

        @Override
        public String option() {
            return "memoryMin";
        }
    }

    /**
     * Swap alone; 0 is a real limit (memory.swap.max). Version 1 limits memory and swap together, so that it needs
     * {@link Max} beside it there.
     */
    record SwapMax(Amount bytes) implements MemoryLimit {
        public SwapMax {
            var _ = Check.notNegative("swapMax", bytes);
        }

        @Override
        public String option() {
            return "swapMax";
        }
    }

    /** Swap past which allocations are slowed (memory.swap.high; version 2 since Linux 5.8). */
    record SwapHigh(Amount bytes) implements MemoryLimit {
        public SwapHigh {
            var _ = Check.notNegative("swapHigh", bytes);
        }

        @Override
        public String option() {
            return "swapHigh";
        }
    }

    /** Compressed swap in memory (memory.zswap.max; version 2 since Linux 5.19). */
    record ZswapMax(Amount bytes) implements MemoryLimit {
        public ZswapMax {
            var _ = Check.notNegative("zswapMax", bytes);
        }

        @Override
        public String option() {
            return "zswapMax";
        }
    }

    /** Whether running out of memory kills all processes of the cgroup or one (memory.oom.group; version 2 only). */
    record OomGroup(boolean whole) implements MemoryLimit {
        @Override
        public String option() {
            return "oomGroup";
        }
    }

    /** How eagerly to swap, 0 to 100, 60 being usual (v1 memory.swappiness; version 2 has none per cgroup). */
    record Swappiness(int percent) implements MemoryLimit {
        public Swappiness {
            var _ = Check.within("swappiness", percent, 0, 100);
        }

        @Override
        public String option() {
            return "swappiness";
        }
    }

    /**
     * Not to kill when memory runs out (v1 memory.oom_control; version 2 has none).
     *
     * @apiNote A trap: a process that needs memory then sleeps in the kernel, not even SIGKILL from outside helps it
     *     allocate, and locks it holds stay held, until the limit is raised or another process of the cgroup ends.
     */
    record OomKillDisable(boolean disabled) implements MemoryLimit {
        @Override
        public String option() {
            return "oomKillDisable";
        }
    }

    /** Buffers of TCP sockets (v1 memory.kmem.tcp.limit_in_bytes; version 2 counts them in {@link Max}). */
    record KernelTcpMax(Amount bytes) implements MemoryLimit {
        public KernelTcpMax {
            var _ = Check.notNegative("kernelTcpMax", bytes);
        }

        @Override
        public String option() {
            return "kernelTcpMax";
        }
    }
}
