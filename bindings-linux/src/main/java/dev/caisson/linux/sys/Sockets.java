// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import java.lang.foreign.Arena;

/** Unix sockets between this process and its children. */
public final class Sockets {
    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM_CLOEXEC = 1 | 0x80000;
    private static final int SHUT_RDWR = 2;

    private Sockets() {}

    /** Two connected stream sockets; both descriptors are close-on-exec. */
    public record Pair(Fd near, Fd far) implements AutoCloseable {
        @Override
        public void close() {
            near.close();
            far.close();
        }
    }

    public static Pair pair() throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var fds = arena.allocate(JAVA_INT, 2);
            long result = Native.call(Syscall.SOCKETPAIR, AF_UNIX, SOCK_STREAM_CLOEXEC, 0, fds.address(), 0, 0);
            if (Native.failed(result)) {
                throw new LinuxException(Native.errno(result), "socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0)");
            }
            return new Pair(Fd.owning(fds.getAtIndex(JAVA_INT, 0)), Fd.owning(fds.getAtIndex(JAVA_INT, 1)));
        }
    }

    /** Ends the connection: a thread that reads either end sees end of file. */
    public static void shutdown(Fd socket) {
        var _ = Native.call(Syscall.SHUTDOWN, socket.number(), SHUT_RDWR, 0);
    }
}
