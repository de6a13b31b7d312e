// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import dev.caisson.cgroups.oom.MemoryLevel;
import dev.caisson.cgroups.text.FlatKeyed;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalLong;

/** Levels of the unified hierarchy: memory.events counts what is below, memory.events.local (Linux 5.2) does not. */
public final class MemoryLevels implements MemoryLevel {
    private static final FlatKeyed KILLS = new FlatKeyed("oom_kill");
    /** Counted where the limit was; oom_kill is counted where the victim was, oom_group_kill where memory.oom.group is. */
    private static final FlatKeyed FIRED = new FlatKeyed("oom");

    @Override
    public OptionalLong kills(Path cgroup) throws IOException {
        return MemoryLevel.keyed(cgroup, "memory.events", KILLS);
    }

    @Override
    public OptionalLong fired(Path cgroup) throws IOException {
        return MemoryLevel.keyed(cgroup, "memory.events.local", FIRED);
    }

    @Override
    public OptionalLong limitBytes(Path cgroup) throws IOException {
        return MemoryLevel.number(cgroup, "memory.max");
    }

    @Override
    public OptionalLong peakBytes(Path cgroup) throws IOException {
        return MemoryLevel.number(cgroup, "memory.peak");
    }
}
