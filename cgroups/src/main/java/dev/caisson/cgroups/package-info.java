// SPDX-License-Identifier: Apache-2.0

/**
 * Control groups: create one, apply limits, read usage, hear of events, freeze and kill what is in it.
 * Read {@code Cgroup} first.
 *
 * <p>The JDK Flight Recorder gets the events {@code dev.caisson.LimitHit}, {@code dev.caisson.OutOfMemory} and {@code
 * dev.caisson.Throttled}: as they happen if it records when a cgroup is made, else in sums when the cgroup is closed.
 */
@NullMarked
package dev.caisson.cgroups;

import org.jspecify.annotations.NullMarked;
