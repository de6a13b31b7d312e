// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Sockets;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a launched container left with the JVM, so that its files outlive it. Most containers are never asked for their files: so
 * the message that brings them stays in its socket, one descriptor, until somebody does. Thread-safe.
 */
final class Kept implements AutoCloseable {
    private static final int DESCRIPTORS = 3;

    private final Fd socket;
    private @Nullable Opened opened;
    private boolean closed;

    /**
     * What is kept.
     *
     * @param root the mount that is its root
     * @param workshop the tmpfs that holds its writable layer, if that is in memory
     * @param namespace its mount namespace, which keeps what is mounted on the root where it is
     */
    record Opened(Fd root, Fd workshop, Fd namespace) {}

    /** Takes ownership of the socket that the child has sent its descriptors to. */
    Kept(Fd socket) {
        this.socket = socket;
    }

    /**
     * {@return what was sent}
     *
     * @throws IOException if this JVM may open no more descriptors; it may work later
     */
    synchronized Opened open() throws IOException {
        if (closed) {
            throw new IllegalStateException("fs: the container is closed, and its files are let go");
        }
        if (opened == null) {
            // A message that is taken is gone, and what does not fit into the table of descriptors with it.
            List<Fd> all = Sockets.peek(socket, DESCRIPTORS);
            if (all.size() != DESCRIPTORS) {
                all.forEach(Fd::close);
                throw new IOException("fs: " + all.size() + " of the " + DESCRIPTORS
                        + " descriptors of the container's root could be opened; this JVM may open no more"
                        + " (RLIMIT_NOFILE, see ulimit -n): raise that limit, or close containers that have ended");
            }
            opened = new Opened(all.get(0), all.get(1), all.get(2));
            socket.close();
        }
        return opened;
    }

    @Override
    public synchronized void close() {
        closed = true;
        socket.close();
        if (opened != null) {
            opened.root().close();
            opened.workshop().close();
            opened.namespace().close();
        }
    }
}
