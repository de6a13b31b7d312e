// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.watch;

/** Something that tells of changes, by calling back on the poller's thread. */
public interface Source extends AutoCloseable {
    /** Looks for changes that nobody told of yet, on this thread. */
    void look();

    /** Stops telling; when it returns, nothing is called back any more. Idempotent. */
    @Override
    void close();
}
