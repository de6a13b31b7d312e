// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.spec.Usage;
import dev.caisson.cgroups.usage.Reading;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** Reads what a cgroup uses, each controller in the version that has it. */
final class UsageFiles {
    private UsageFiles() {}

    static Usage read(CgroupDirectories parts, Reading reading) throws IOException {
        var unified = parts.unified();
        var legacy = parts.legacy();
        var old = legacy == null ? Usage.none() : dev.caisson.cgroups.v1.UsageFiles.read(reading, legacy);
        if (unified == null) {
            return old;
        }
        try (var files = reading.open(unified.directories().getFirst())) {
            var here = dev.caisson.cgroups.v2.UsageFiles.read(files);
            return legacy == null ? here : merged(here, old);
        }
    }

    /** {@return processor time alone; empty where nothing counts it} */
    static Optional<Duration> cpuTime(CgroupDirectories parts, Reading reading) throws IOException {
        var unified = parts.unified();
        if (unified != null) {
            try (var files = reading.open(unified.directories().getFirst())) {
                var time = dev.caisson.cgroups.v2.UsageFiles.cpuTime(files);
                if (time.isPresent()) {
                    return time;
                }
            }
        }
        var legacy = parts.legacy();
        return legacy == null ? Optional.empty() : dev.caisson.cgroups.v1.UsageFiles.cpuTime(reading, legacy);
    }

    /** A controller is in one version only; but for processor time, which version 2 counts without one. */
    private static Usage merged(Usage here, Usage old) {
        return new Usage(
                here.cpu().or(old::cpu),
                here.throttling().or(old::throttling),
                here.memory().or(old::memory),
                here.swap().or(old::swap),
                here.io().isEmpty() ? old.io() : here.io(),
                here.pids().or(old::pids),
                here.hugetlb().isEmpty() ? old.hugetlb() : here.hugetlb(),
                here.rdma(),
                here.misc(),
                here.pressure());
    }
}
