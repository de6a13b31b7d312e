// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.PreparedLaunches;
import java.util.List;
import java.util.Optional;

/**
 * What is to be launched.
 *
 * @param spec with all three standard streams set
 * @param prepared launches of the same builder before
 * @param entrance the container that the command enters; empty: it makes one
 */
public record Request(
        ContainerSpec spec, List<String> command, PreparedLaunches prepared, Optional<Entrance> entrance) {
    /** A container to be. */
    public Request(ContainerSpec spec, List<String> command, PreparedLaunches prepared) {
        this(spec, command, prepared, Optional.empty());
    }
}
