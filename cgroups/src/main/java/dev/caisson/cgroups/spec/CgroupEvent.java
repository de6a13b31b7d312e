// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import java.time.Duration;

/**
 * Something the kernel told of a cgroup and all below it. Counts are since the last event of the kind that the subscriber got, so
 * that a slow one misses none; for a state, the newest counts.
 */
public sealed interface CgroupEvent {
    /**
     * The out-of-memory killer took processes; the others go on.
     *
     * @param kills how many since the last event
     * @param cause whose limit it was, and who was killed, as far as that is known
     */
    record OutOfMemoryKill(long kills, OutOfMemory cause) implements CgroupEvent {}

    /** It was slowed and reclaimed for being above memoryHigh (version 2). */
    record MemoryHigh(long times) implements CgroupEvent {}

    /** It was about to exceed memoryMax, and was reclaimed (version 2). */
    record MemoryMax(long times) implements CgroupEvent {}

    /** It was about to exceed swapMax (version 2; only if there is such a limit). */
    record SwapMax(long times) implements CgroupEvent {}

    /** fork(2) failed because of pidsMax. */
    record PidsMax(long times) implements CgroupEvent {}

    /** Huge pages were refused because of hugetlbMax (version 2; only if there is such a limit). */
    record HugetlbMax(long pageBytes, long times) implements CgroupEvent {}

    /**
     * It was stopped for having used up the time that {@code cpus} gives it. Told at most every 2 seconds, and only if more than a
     * tenth of them was lost so: the kernel tells of the pressure, not of each stop (needs such a limit, and version 2 for the
     * pressure).
     *
     * @param periods in which it was stopped
     * @param time how long, added up over all processors
     */
    record Throttled(long periods, Duration time) implements CgroupEvent {}

    /** Whether there are processes in it (version 2). */
    record Populated(boolean populated) implements CgroupEvent {}

    /** Whether all of it stands still (version 2). */
    record Frozen(boolean frozen) implements CgroupEvent {}
}
