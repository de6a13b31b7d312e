// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import java.time.Duration;

/**
 * What a command and those of its children that it waited for used (getrusage(2)). For everything in a container, and for
 * memory over all processes, see its cgroup's usage.
 *
 * @param wallTime from the launch to the end
 * @param maxResidentBytes of the largest single process, but not less than what the JVM had resident at the launch: until
 *     its execve the command shares the JVM's memory, and the kernel counts that too; for an exact figure see the memory
 *     peak of its cgroup
 */
public record Resources(
        Duration wallTime,
        Duration userTime,
        Duration systemTime,
        long maxResidentBytes,
        long majorFaults,
        long voluntarySwitches,
        long involuntarySwitches) {}
