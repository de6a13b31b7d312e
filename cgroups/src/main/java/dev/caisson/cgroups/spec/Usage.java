// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a cgroup uses at one moment. Empty where no controller counts it.
 *
 * @param cpuTime of all processes since the cgroup was made
 * @param memoryBytes now, page cache included
 * @param memoryPeakBytes the most there ever was (version 2 has it since Linux 5.19)
 * @param pids processes and threads now
 */
public record Usage(
        Optional<Duration> cpuTime, OptionalLong memoryBytes, OptionalLong memoryPeakBytes, OptionalLong pids) {}
