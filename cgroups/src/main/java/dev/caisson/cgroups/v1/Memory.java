// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v1;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limit.Amount;
import dev.caisson.cgroups.spec.Limit.MemoryLimit;
import dev.caisson.cgroups.spec.Limits;
import java.util.List;

/** The memory controller: memory.* files. */
final class Memory {
    private Memory() {}

    static List<Write> writes(MemoryLimit limit, Limits all) throws CgroupException {
        return switch (limit) {
            case Limit.MemoryMax(var bytes) -> write(limit, "memory.limit_in_bytes", text(bytes));
            case Limit.MemoryLow(var bytes) -> write(limit, "memory.soft_limit_in_bytes", text(bytes));
            case Limit.SwapMax(var bytes) -> write(limit, "memory.memsw.limit_in_bytes", sum(limit, bytes, all));
            case Limit.Swappiness(int percent) -> write(limit, "memory.swappiness", Integer.toString(percent));
            case Limit.OomKillDisable(boolean disabled) -> write(limit, "memory.oom_control", disabled ? "1" : "0");
            case Limit.KernelTcpMax(var bytes) -> write(limit, "memory.kmem.tcp.limit_in_bytes", text(bytes));
            case Limit.MemoryHigh _ ->
                throw V1Writes.unknown(
                        limit, "use memoryMax, or boot with cgroup_no_v1=memory to have it in version 2");
            case Limit.MemoryMin _ -> throw V1Writes.unknown(limit, "use memoryLow, which is weaker");
            case Limit.SwapHigh _, Limit.ZswapMax _ -> throw V1Writes.unknown(limit, "use swapMax");
            case Limit.OomGroup(boolean whole) -> {
                if (whole) {
                    throw V1Writes.unknown(limit, "a PID namespace ends as a whole when its init is killed");
                }
                yield List.of();
            }
        };
    }

    /** Version 1 limits memory and swap together. */
    private static String sum(MemoryLimit limit, Amount swap, Limits all) throws CgroupException {
        if (swap.value().isEmpty()) {
            return text(swap);
        }
        var memory = all.memoryMax();
        if (memory.isEmpty()) {
            throw V1Writes.unknown(limit, "it limits memory and swap together; set memoryMax too");
        }
        long sum = memory.getAsLong() + swap.value().getAsLong();
        return text(sum < 0 ? Amount.max() : Amount.of(sum));
    }

    /** Without bound is -1 here. */
    static String text(Amount bytes) {
        return bytes.value().isPresent() ? bytes.toString() : "-1";
    }

    private static List<Write> write(MemoryLimit limit, String file, String value) {
        return List.of(new Write(limit.option(), "memory", file, value));
    }
}
