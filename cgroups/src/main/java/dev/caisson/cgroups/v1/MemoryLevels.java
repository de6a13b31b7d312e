// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v1;

import dev.caisson.cgroups.oom.MemoryLevel;
import dev.caisson.cgroups.process.Tasks;
import dev.caisson.cgroups.text.FlatKeyed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * Levels of the memory hierarchy of version 1. It counts kills where the victim was only, and no memory that ran out: that a
 * charge failed is the nearest.
 */
public final class MemoryLevels implements MemoryLevel {
    private static final FlatKeyed KILLS = new FlatKeyed("oom_kill");
    private static final long UNLIMITED = 1L << 62;

    @Override
    public OptionalLong kills(Path cgroup) throws IOException {
        var own = MemoryLevel.keyed(cgroup, "memory.oom_control", KILLS);
        if (own.isEmpty()) {
            return own;
        }
        // Each directory inside is one more link; most often there is none, and nothing to list.
        if ((int) Files.getAttribute(cgroup, "unix:nlink") <= 2) {
            return own;
        }
        long sum = own.getAsLong();
        for (Path below : Tasks.tree(cgroup)) {
            if (!below.equals(cgroup) && Files.isDirectory(below)) {
                sum += MemoryLevel.keyed(below, "memory.oom_control", KILLS).orElse(0);
            }
        }
        return OptionalLong.of(sum);
    }

    @Override
    public OptionalLong fired(Path cgroup) throws IOException {
        var memory = MemoryLevel.number(cgroup, "memory.failcnt");
        long withSwap = MemoryLevel.number(cgroup, "memory.memsw.failcnt").orElse(0);
        return memory.isPresent() ? OptionalLong.of(memory.getAsLong() + withSwap) : memory;
    }

    @Override
    public OptionalLong limitBytes(Path cgroup) throws IOException {
        var limit = MemoryLevel.number(cgroup, "memory.limit_in_bytes");
        return limit.isPresent() && limit.getAsLong() >= UNLIMITED ? OptionalLong.empty() : limit;
    }

    @Override
    public OptionalLong peakBytes(Path cgroup) throws IOException {
        return MemoryLevel.number(cgroup, "memory.max_usage_in_bytes");
    }
}
