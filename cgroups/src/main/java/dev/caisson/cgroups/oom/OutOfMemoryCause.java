// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.oom;

import dev.caisson.cgroups.hierarchy.Hierarchy;
import dev.caisson.cgroups.process.Tasks;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.cgroups.spec.OutOfMemory.Scope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * Finds out whose limit made the out-of-memory killer take processes of a cgroup: by the kernel's log, which names it, else by
 * the level, from the cgroup up, whose counter has grown since the cgroup was made.
 */
public final class OutOfMemoryCause {
    private final MemoryLevel levels;
    private final Hierarchy hierarchy;
    private final Path directory;
    private final List<Before> above;

    /** A level above and its counter when the cgroup was made. */
    private record Before(Path directory, OptionalLong fired) {}

    private OutOfMemoryCause(MemoryLevel levels, Hierarchy hierarchy, Path directory, List<Before> above) {
        this.levels = levels;
        this.hierarchy = hierarchy;
        this.directory = directory;
        this.above = List.copyOf(above);
    }

    /** Remembers the state of the levels above a new cgroup. Most often there is none: the root has no limit. */
    public static OutOfMemoryCause of(MemoryLevel levels, Hierarchy hierarchy, Path directory) throws IOException {
        var above = new ArrayList<Before>();
        for (Path at = Objects.requireNonNull(directory.getParent());
                at.startsWith(hierarchy.mountPoint()) && !at.equals(hierarchy.mountPoint());
                at = Objects.requireNonNull(at.getParent())) {
            above.add(new Before(at, levels.fired(at)));
        }
        return new OutOfMemoryCause(levels, hierarchy, directory, above);
    }

    /** {@return what happened, if anything did} */
    public Optional<OutOfMemory> find() throws IOException {
        return find(KernelLog::kills);
    }

    /** {@return what happened, if nobody reads the log} */
    public Optional<OutOfMemory> findByCounters() throws IOException {
        return find(_ -> List.of());
    }

    private Optional<OutOfMemory> find(Function<String, List<KernelLog.Kill>> kernelLog) throws IOException {
        OptionalLong kills;
        try {
            kills = levels.kills(directory);
        } catch (CgroupException vanished) {
            return Optional.empty(); // Its counters are gone with it.
        }
        if (kills.isEmpty() || kills.getAsLong() == 0) {
            return Optional.empty();
        }
        var log = kernelLog.apply(path(directory));
        var found = log.isEmpty() ? byCounters() : byLog(log.getLast());
        var level = found.level;
        return Optional.of(new OutOfMemory(
                found.scope,
                level.map(this::shown),
                level.isPresent() ? value(level.get(), levels::limitBytes) : OptionalLong.empty(),
                level.isPresent() ? value(level.get(), levels::peakBytes) : OptionalLong.empty(),
                kills.getAsLong(),
                log.stream().map(KernelLog.Kill::victim).toList()));
    }

    private record Found(Scope scope, Optional<Path> level) {}

    private Found byLog(KernelLog.Kill kill) {
        if (kill.level().isEmpty()) {
            return new Found(Scope.HOST, Optional.empty());
        }
        String level = kill.level().get();
        String own = path(directory);
        var at = hierarchy.directory(level);
        if (level.equals(own)) {
            return new Found(Scope.OWN, Optional.of(directory));
        }
        return new Found(level.startsWith(own + "/") ? Scope.BELOW : Scope.ABOVE, at);
    }

    private Found byCounters() throws IOException {
        var own = levels.fired(directory);
        if (own.isEmpty()) {
            return new Found(Scope.UNKNOWN, Optional.empty());
        }
        if (own.getAsLong() > 0) {
            return new Found(Scope.OWN, Optional.of(directory));
        }
        for (Path below : Tasks.tree(directory)) {
            if (!below.equals(directory) && value(below, levels::fired).orElse(0) > 0) {
                return new Found(Scope.BELOW, Optional.of(below));
            }
        }
        for (var level : above) {
            var now = value(level.directory, levels::fired);
            if (now.isEmpty() || level.fired.isEmpty()) {
                return new Found(Scope.UNKNOWN, Optional.empty());
            }
            if (now.getAsLong() > level.fired.getAsLong()) {
                return new Found(Scope.ABOVE, Optional.of(level.directory));
            }
        }
        return new Found(Scope.HOST, Optional.empty());
    }

    @FunctionalInterface
    private interface Read {
        OptionalLong of(Path cgroup) throws IOException;
    }

    private static OptionalLong value(Path cgroup, Read read) throws IOException {
        try {
            return read.of(cgroup);
        } catch (CgroupException vanished) {
            return OptionalLong.empty(); // It is not ours, and may go when it likes.
        }
    }

    /** The path as the kernel itself has it; in a cgroup namespace, as far as it is known. */
    private String path(Path cgroup) {
        String root = hierarchy.root().equals("/") ? "" : hierarchy.root();
        return root + shown(cgroup);
    }

    /** The path below the mount point, as {@code cgroupParent} takes it. */
    private String shown(Path cgroup) {
        return "/" + hierarchy.mountPoint().relativize(cgroup);
    }
}
