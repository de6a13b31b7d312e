// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

/**
 * A child that the zygote watches over: it is killed when this JVM ends, however that is. Thread-safe.
 */
@FunctionalInterface
public interface Ward {
    /** Nobody watches. */
    Ward NONE = () -> {};

    /** Gives up the place, once the child is reaped and before its pidfd is closed. Idempotent. */
    void end();
}
