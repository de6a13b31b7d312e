// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Sockets;
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
    static Kept from(Fd socket) throws LinuxException {
        List<Fd> all = Sockets.receive(socket, DESCRIPTORS);
        if (all.size() != DESCRIPTORS) {
            all.forEach(Fd::close);
            throw new IllegalStateException("a launched container sent " + all.size() + " descriptors of its root");
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
