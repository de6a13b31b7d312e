// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.cgroups.spec.OutOfMemory;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** What belongs to a process beside it: its cgroup. */
public interface Surroundings {
    /** Kills everything in it. */
    void kill() throws IOException;

    /** {@return the processor time of everything in it} */
    Duration cpuTime() throws IOException;

    /**
     * Learns what there is to learn after the end, and removes everything.
     *
     * @return what the out-of-memory killer did, where it took the command; if a SIGKILL did and nobody else sent it
     */
    Optional<OutOfMemory> dissolve() throws IOException;
}
