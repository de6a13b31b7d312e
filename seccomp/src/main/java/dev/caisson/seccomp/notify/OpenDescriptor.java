// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.notify;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Native;
import dev.caisson.seccomp.Notification.Descriptor;
import java.lang.foreign.Arena;
import java.nio.file.Path;

/** A descriptor of the JVM. */
record OpenDescriptor(Fd fd) implements Descriptor {
    @Override
    public Path path() {
        return Path.of("/proc/self/fd/" + fd.number());
    }

    @Override
    public void connect(byte[] address) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            long result = Native.call(
                    Syscall.CONNECT,
                    fd.number(),
                    arena.allocateFrom(JAVA_BYTE, address).address(),
                    address.length);
            if (Native.failed(result)) {
                Errno errno = Native.errno(result);
                throw new LinuxException(errno, "connect(" + fd + ", sockaddr of " + address.length + " bytes)");
            }
        }
    }

    @Override
    public void close() {
        fd.close();
    }
}
