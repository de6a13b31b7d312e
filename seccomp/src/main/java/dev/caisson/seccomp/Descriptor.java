// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.LinuxException;
import java.nio.file.Path;

/**
 * An open file or socket that a supervisor holds in the JVM while it decides one call. It comes from a {@link Notification},
 * and is closed when that call is answered, if not before.
 */
public interface Descriptor extends AutoCloseable {
    /**
     * {@return a path under which JDK classes can open the same file again, while this is open} Not for sockets.
     */
    Path path();

    /**
     * Connects a socket, as connect(2) does: one that does not block fails with EINPROGRESS.
     *
     * @param address the {@code struct sockaddr}, as the caller passed it
     */
    void connect(byte[] address) throws LinuxException;

    @Override
    void close();
}
