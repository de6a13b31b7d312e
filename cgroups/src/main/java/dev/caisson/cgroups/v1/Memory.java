// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v1;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.Amount;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.MemoryLimit;
import java.util.List;

/** The memory controller: memory.* files. */
final class Memory {
    private Memory() {}

    static List<Write> writes(MemoryLimit limit, Limits all) throws CgroupException {
        return switch (limit) {
            case MemoryLimit.Max(var bytes) -> write(limit, "memory.limit_in_bytes", text(bytes));
            case MemoryLimit.Low(var bytes) -> write(limit, "memory.soft_limit_in_bytes", text(bytes));
            case MemoryLimit.SwapMax(var bytes) -> write(limit, "memory.memsw.limit_in_bytes", sum(limit, bytes, all));
            case MemoryLimit.Swappiness(int percent) -> write(limit, "memory.swappiness", Integer.toString(percent));
            case MemoryLimit.OomKillDisable(boolean disabled) ->
                write(limit, "memory.oom_control", disabled ? "1" : "0");
            case MemoryLimit.KernelTcpMax(var bytes) -> write(limit, "memory.kmem.tcp.limit_in_bytes", text(bytes));
            case MemoryLimit.High _ ->
                throw V1Writes.unknown(
                        limit, "use memoryMax, or boot with cgroup_no_v1=memory to have it in version 2");
            case MemoryLimit.Min _ -> throw V1Writes.unknown(limit, "use memoryLow, which is weaker");
            case MemoryLimit.SwapHigh _, MemoryLimit.ZswapMax _ -> throw V1Writes.unknown(limit, "use swapMax");
            case MemoryLimit.OomGroup(boolean whole) -> {
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
