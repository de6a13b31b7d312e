// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.PreparedLaunches;
import java.util.List;

/**
 * What is to be launched.
 *
 * @param spec with all three standard streams set
 * @param prepared launches of the same builder before
 */
public record Request(ContainerSpec spec, List<String> command, PreparedLaunches prepared) {}
