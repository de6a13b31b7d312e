// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import java.lang.foreign.MemorySegment;

/** A place that what a command writes goes to. One thread at a time calls it. */
interface Sink extends AutoCloseable {
    /**
     * Takes the next bytes, of memory that is used again afterwards.
     *
     * @throws SinkException if it can take no more
     */
    void take(MemorySegment bytes) throws SinkException;

    /** The output is at its end: gives on what waited for more. */
    default void finish() throws SinkException {}

    /** Something was lost: what is there must not look like all. */
    default void fail(Throwable why) {}

    /** Gives nothing on any more, from now on; by any thread. */
    default void stop() {}

    /** Nothing more comes, whether or not that was all. Idempotent. */
    @Override
    default void close() {}
}
