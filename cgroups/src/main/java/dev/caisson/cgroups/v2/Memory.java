// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limit.MemoryLimit;
import java.util.List;

/** The memory controller: memory.* files. */
final class Memory {
    private Memory() {}

    static List<Write> writes(MemoryLimit limit) throws CgroupException {
        return switch (limit) {
            case Limit.MemoryMax(var bytes) -> write(limit, "memory.max", bytes);
            case Limit.MemoryHigh(var bytes) -> write(limit, "memory.high", bytes);
            case Limit.MemoryLow(var bytes) -> write(limit, "memory.low", bytes);
            case Limit.MemoryMin(var bytes) -> write(limit, "memory.min", bytes);
            case Limit.SwapMax(var bytes) -> write(limit, "memory.swap.max", bytes);
            case Limit.SwapHigh(var bytes) -> write(limit, "memory.swap.high", bytes);
            case Limit.ZswapMax(var bytes) -> write(limit, "memory.zswap.max", bytes);
            case Limit.OomGroup(boolean whole) -> write(limit, "memory.oom.group", whole ? 1 : 0);
            case Limit.Swappiness _ -> throw V2Writes.unknown(limit, "use swapMax; 0 keeps it from swapping at all");
            case Limit.OomKillDisable(boolean disabled) -> {
                if (disabled) {
                    throw V2Writes.unknown(limit, "use memoryHigh, which slows processes down instead of killing them");
                }
                yield List.of();
            }
            case Limit.KernelTcpMax _ -> throw V2Writes.unknown(limit, "memoryMax counts socket buffers already");
        };
    }

    private static List<Write> write(MemoryLimit limit, String file, Object value) {
        return List.of(new Write(limit.option(), "memory", file, value.toString()));
    }
}
