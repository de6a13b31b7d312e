// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import java.io.IOException;
import java.util.OptionalLong;

/** Who launches children: this JVM's launcher, or the supervisor of a detached container. */
@FunctionalInterface
public interface LaunchService {
    /**
     * Launches a child and waits for its execve, or until a point in time, when it is killed: it is returned then as one that
     * has ended.
     *
     * @param deadline by the clock of System.nanoTime
     */
    Outcome launch(Launch launch, OptionalLong deadline) throws IOException;
}
