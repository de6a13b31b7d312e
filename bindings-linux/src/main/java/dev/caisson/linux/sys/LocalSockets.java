// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.flag.SocketTypes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * Unix sockets of messages with a name in a directory. The directory is named by its descriptor, so that a long path to it does
 * not matter: an address holds 108 bytes.
 */
public final class LocalSockets {
    private static final short AF_UNIX = 1;
    private static final int TYPE = SocketTypes.SOCK_SEQPACKET | SocketTypes.SOCK_CLOEXEC;
    private static final int ADDRESS_SIZE = 110;
    private static final int PATH_OFFSET = 2;
    private static final int BACKLOG = 64;

    private LocalSockets() {}

    /** {@return a socket that others may connect to under a name, which must be free} */
    public static Fd listen(Fd directory, String name) throws LinuxException {
        var socket = socket();
        try (var arena = Arena.ofConfined()) {
            named(Syscall.BIND, "bind", socket, directory, name, arena);
            long result = Native.call(Syscall.LISTEN, socket.number(), BACKLOG, 0);
            if (Native.failed(result)) {
                throw new LinuxException(Native.errno(result), "listen(" + socket + ", " + BACKLOG + ")");
            }
            return socket;
        } catch (LinuxException | RuntimeException | Error failed) {
            socket.close();
            throw failed;
        }
    }

    /**
     * {@return a socket connected to the one that listens under a name}
     *
     * @param micros how long it waits to be connected, and its reader for what comes
     * @throws LinuxException ECONNREFUSED if nobody listens any more, ENOENT if there is none, EAGAIN if too many wait
     */
    public static Fd connect(Fd directory, String name, long micros) throws LinuxException {
        var socket = socket();
        try (var arena = Arena.ofConfined()) {
            Sockets.sendWithin(socket, micros);
            Sockets.receiveWithin(socket, micros);
            named(Syscall.CONNECT, "connect", socket, directory, name, arena);
            return socket;
        } catch (LinuxException | RuntimeException | Error failed) {
            socket.close();
            throw failed;
        }
    }

    private static Fd socket() throws LinuxException {
        return Files.opened(
                Native.call(Syscall.SOCKET, AF_UNIX, TYPE, 0), "socket(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0)");
    }

    private static void named(Syscall syscall, String verb, Fd socket, Fd directory, String name, Arena arena)
            throws LinuxException {
        byte[] path = ("/proc/self/fd/" + directory.number() + "/" + name).getBytes(StandardCharsets.UTF_8);
        var address = arena.allocate(ADDRESS_SIZE, Long.BYTES);
        address.set(JAVA_SHORT, 0, AF_UNIX);
        MemorySegment.copy(path, 0, address, JAVA_BYTE, PATH_OFFSET, path.length);
        long result = Native.call(syscall, socket.number(), address.address(), PATH_OFFSET + path.length + 1L);
        if (Native.failed(result)) {
            throw new LinuxException(Native.errno(result), verb + "(" + socket + ", \"" + name + "\")");
        }
    }
}
