// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import dev.caisson.linux.Syscall;

/**
 * Links what calls the kernel before it is needed, on a thread that ends then: in a new JVM that takes some 80 ms, in which a
 * container is described and its launch planned. Whoever calls the kernel meanwhile waits for it.
 */
public final class Linkage {
    static {
        try {
            var _ = Thread.ofPlatform().daemon().name("caisson-link").start(Linkage::link);
        } catch (OutOfMemoryError noThread) {
            // Then whoever calls first links it.
        }
    }

    private Linkage() {}

    /** Begins if nobody did: a class is initialized once, and that is all there is to do. */
    public static void begin() {}

    private static void link() {
        try {
            // Fails, and so links how errno is read, too.
            var _ = Native.call(Syscall.CLOSE, -1);
        } catch (RuntimeException | Error denied) {
            // Whoever calls first is told.
        }
    }
}
