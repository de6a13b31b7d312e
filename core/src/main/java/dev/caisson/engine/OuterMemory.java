// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.spec.OutOfMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where version 2 counts memory, a cgroup of a command without such limits has no counters of it: what the out-of-memory killer
 * does is counted by the container's.
 *
 * @param container its cgroup
 * @param before how many processes of it were killed before the command was started
 */
record OuterMemory(Cgroup container, long before) {
    /** {@return that of a command; empty if its own cgroup counts, or nothing does} */
    static Optional<OuterMemory> of(Request request, Cgroup command) throws IOException {
        var container = request.entrance().flatMap(Entrance::cgroup);
        var memory = command.directory("memory");
        return container.isPresent() && memory.isPresent() && !countsItself(memory.get())
                ? Optional.of(new OuterMemory(container.get(), kills(container.get())))
                : Optional.empty();
    }

    private static boolean countsItself(Path memory) {
        return Files.exists(memory.resolve("memory.events")) || Files.exists(memory.resolve("memory.oom_control"));
    }

    private static long kills(Cgroup cgroup) throws IOException {
        return cgroup.outOfMemoryByCounters().map(OutOfMemory::kills).orElse(0L);
    }

    /** {@return what happened since, as seen from the command} */
    Optional<OutOfMemory> since() throws IOException {
        return container.outOfMemory().filter(event -> event.kills() > before).map(this::since);
    }

    private OutOfMemory since(OutOfMemory event) {
        long kills = event.kills() - before;
        int known = event.victims().size();
        var scope = event.scope() == OutOfMemory.Scope.OWN ? OutOfMemory.Scope.ABOVE : event.scope();
        return new OutOfMemory(
                scope,
                event.level(),
                event.limitBytes(),
                event.peakBytes(),
                kills,
                event.victims().subList((int) Math.max(0, known - kills), known));
    }
}
