// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import java.io.IOException;
import java.util.List;

/**
 * One thing the JVM does before it clones: data to print, and an action. What the action makes is known to the preparation,
 * which takes it back if the launch fails.
 *
 * @param phase the part of the launch it belongs to
 * @param purpose what it is for
 * @param needs the privilege without which it fails, or the empty string
 * @param calls the calls it makes, as strace prints them
 */
public record ParentStep(String phase, String purpose, String needs, List<String> calls, Action action) {
    public ParentStep {
        calls = List.copyOf(calls);
    }

    /** What is done. */
    @FunctionalInterface
    public interface Action {
        void run(Preparation here) throws IOException;
    }
}
