// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.cgroups.usage.Reading;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** Reads the usage of one cgroup again and again, from files that it keeps open. Thread-safe. Close it, best before the cgroup. */
public final class UsageMeter implements AutoCloseable {
    private final Cgroup cgroup;
    private final Reading reading = Reading.again();
    private boolean closed;

    UsageMeter(Cgroup cgroup) {
        this.cgroup = cgroup;
    }

    /**
     * {@return what is used now}
     *
     * @throws CgroupException if the cgroup was removed
     * @throws IllegalStateException if this is closed
     */
    public synchronized Usage usage() throws IOException {
        if (closed) {
            throw new IllegalStateException("the meter of " + cgroup.name() + " is closed");
        }
        return UsageFiles.read(cgroup.parts(), reading);
    }

    /**
     * {@return processor time of all processes until now; empty where nothing counts it} As {@link #usage} has it, from one file.
     *
     * @throws CgroupException if the cgroup was removed
     * @throws IllegalStateException if this is closed
     */
    public synchronized Optional<Duration> cpuTime() throws IOException {
        if (closed) {
            throw new IllegalStateException("the meter of " + cgroup.name() + " is closed");
        }
        return UsageFiles.cpuTime(cgroup.parts(), reading);
    }

    /** Closes the files. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            reading.close();
        }
    }
}
