// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Sockets;
import java.io.IOException;
import java.util.List;

/**
 * What a launched container left with the JVM, so that its files outlive it.
 *
 * @param root the mount that is its root
 * @param workshop the tmpfs that holds its writable layer, if that is in memory
 * @param namespace its mount namespace, which keeps what is mounted on the root where it is
 */
record Kept(Fd root, Fd workshop, Fd namespace) implements AutoCloseable {
    private static final int DESCRIPTORS = 3;

    /** {@return what the child has sent} */
    static Kept from(Fd socket) throws IOException {
        List<Fd> all = Sockets.receive(socket, DESCRIPTORS);
        if (all.size() != DESCRIPTORS) {
            all.forEach(Fd::close);
            throw new ContainerException(
                    "keep the container's root for fs(): " + all.size() + " of its " + DESCRIPTORS
                            + " descriptors arrived; this JVM may open no more (RLIMIT_NOFILE, see ulimit -n):"
                            + " raise that limit, or close containers that have ended",
                    "keep the container's root for fs()",
                    null);
        }
        return new Kept(all.get(0), all.get(1), all.get(2));
    }

    @Override
    public void close() {
        root.close();
        workshop.close();
        namespace.close();
    }
}
