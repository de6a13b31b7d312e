// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import java.util.concurrent.CompletableFuture;

/** What reads a stream of a command and gives it to {@linkplain Sink sinks}. Thread-safe. */
interface Tap extends AutoCloseable {
    /** The command is launched: from now on nobody but this reads. */
    void launched();

    /**
     * The command has ended: the rest is taken and nothing more waited for. What processes that outlive it may still write is
     * theirs; in a PID namespace there are none.
     */
    void ended();

    /** {@return completes when the sinks have had all; exceptionally if one of them failed} */
    CompletableFuture<?> done();

    /** {@return whether the calling thread is this one's own} */
    default boolean isCaller() {
        return false;
    }

    /** Gives the sinks no more. Idempotent. */
    @Override
    void close();
}
