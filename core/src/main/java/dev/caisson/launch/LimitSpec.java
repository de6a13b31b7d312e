// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limits;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import org.immutables.value.Value;

/** How much of the host the container may use, and where its cgroup is. */
@Value.Immutable
@Value.Style(jdkOnly = true, jakarta = false, allowedClasspathAnnotations = Override.class)
public interface LimitSpec {
    /** The limits; empty: none was set, and the container has no cgroup of its own unless a parent is named. */
    Optional<Limits> set();

    /** The most processes by a preset, where nobody sets such a limit and the host can enforce it. */
    OptionalLong presetPids();

    Optional<String> cgroupParent();

    /** What its own cgroup is called; else that tells which process made it, and is taken for left behind when that is gone. */
    Optional<String> cgroupName();

    /** The most processor time of all its processes together. */
    Optional<Duration> cpuTimeMax();

    /** Whether its own cgroup is mounted, to be divided by whoever is root in it. */
    @Value.Default
    default boolean delegated() {
        return false;
    }

    /** Whether root inside may move its processes out of it: that of a command where the container's is delegated. */
    @Value.Default
    default boolean leavable() {
        return false;
    }

    /** {@return the limits with those of a preset that nobody replaced; empty: there are no more than were set} */
    default Optional<Limits> withPreset() {
        var own = set().orElse(Limits.none());
        return presetPids().isPresent() && own.all().stream().noneMatch(Limit.PidsMax.class::isInstance)
                ? Optional.of(own.pidsMax(presetPids().getAsLong()))
                : Optional.empty();
    }

    /** {@return whether the container has a cgroup of its own, whatever a preset adds} */
    default boolean hasCgroup() {
        return set().isPresent() || cgroupParent().isPresent() || cpuTimeMax().isPresent();
    }

    /** Refuses values that make no sense alone. */
    @Value.Check
    default void check() {
        if (cpuTimeMax().isPresent()
                && (cpuTimeMax().get().isNegative() || cpuTimeMax().get().isZero())) {
            throw new IllegalArgumentException("cpuTimeMax: " + cpuTimeMax().get() + " is not positive");
        }
    }
}
