// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.call.Arg;
import java.util.Optional;

/**
 * What a launch has of a /dev for the standard streams of its command.
 *
 * @param directory the container's own /dev, if it has one
 * @param nothing its /dev/null, opened if a stream is discarded
 * @param terminal the command's end of its terminal, if the child has opened one
 */
record Devices(Optional<Arg> directory, Optional<Arg> nothing, Optional<Arg> terminal) {
    static Devices none() {
        return ofTerminal(Optional.empty());
    }

    static Devices ofTerminal(Optional<Arg> terminal) {
        return new Devices(Optional.empty(), Optional.empty(), terminal);
    }
}
