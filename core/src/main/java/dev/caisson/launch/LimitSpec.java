// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.cgroups.spec.Limits;
import java.util.Optional;
import org.immutables.value.Value;

/** How much of the host the container may use, and where its cgroup is. */
@Value.Immutable
@Value.Style(jdkOnly = true, jakarta = false)
public interface LimitSpec {
    /** The limits; empty: none was set, and the container has no cgroup of its own unless a parent is named. */
    Optional<Limits> set();

    Optional<String> cgroupParent();

    /** Whether its own cgroup is mounted, to be divided by whoever is root in it. */
    @Value.Default
    default boolean delegated() {
        return false;
    }

    /** {@return whether the container has a cgroup of its own} */
    default boolean hasCgroup() {
        return set().isPresent() || cgroupParent().isPresent();
    }
}
