// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.spec.Usage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/** Reads what a cgroup uses from the files of both versions. */
final class UsageFiles {
    private UsageFiles() {}

    static Usage read(Cgroup cgroup) throws IOException {
        var unified = cgroup.directory("");
        var memory = cgroup.directory("memory");
        boolean legacyMemory = memory.isPresent() && !memory.equals(unified);
        return new Usage(
                cpu(cgroup),
                number(memory, legacyMemory ? "memory.usage_in_bytes" : "memory.current"),
                number(memory, legacyMemory ? "memory.max_usage_in_bytes" : "memory.peak"),
                number(cgroup.directory("pids"), "pids.current"));
    }

    private static Optional<Duration> cpu(Cgroup cgroup) throws IOException {
        var unified = cgroup.directory("");
        if (unified.isPresent() && Files.exists(unified.get().resolve("cpu.stat"))) {
            return Optional.of(Duration.ofNanos(1000 * keyed(unified.get().resolve("cpu.stat"), "usage_usec")));
        }
        var nanos = number(cgroup.directory("cpuacct"), "cpuacct.usage");
        return nanos.isPresent() ? Optional.of(Duration.ofNanos(nanos.getAsLong())) : Optional.empty();
    }

    static boolean outOfMemory(Cgroup cgroup) throws IOException {
        var memory = cgroup.directory("memory");
        if (memory.isEmpty()) {
            return false;
        }
        Path events = memory.get().resolve("memory.events");
        return keyed(Files.exists(events) ? events : memory.get().resolve("memory.oom_control"), "oom_kill") > 0;
    }

    private static long keyed(Path file, String key) throws IOException {
        if (!Files.exists(file)) {
            return 0;
        }
        for (String line : Files.readAllLines(file)) {
            if (line.startsWith(key + " ")) {
                return Long.parseLong(line.substring(key.length() + 1).strip());
            }
        }
        return 0;
    }

    private static OptionalLong number(Optional<Path> directory, String name) throws IOException {
        if (directory.isEmpty() || !Files.exists(directory.get().resolve(name))) {
            return OptionalLong.empty();
        }
        return OptionalLong.of(
                Long.parseLong(Files.readString(directory.get().resolve(name)).strip()));
    }
}
