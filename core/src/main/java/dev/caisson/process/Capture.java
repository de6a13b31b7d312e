// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Epoll;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Native;
import dev.caisson.linux.sys.Poller;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what a command writes, up to a cap; beyond it reads on and drops, so that the command never blocks on us. The
 * poller drives it.
 */
final class Capture implements AutoCloseable {
    private static final int CHUNK = 65_536;

    private final Fd fd;
    private final int cap;
    private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
    private boolean truncated;
    private Poller.@Nullable Watch watch;

    Capture(Fd fd, int cap) {
        this.fd = fd;
        this.cap = cap;
    }

    synchronized void begin(Poller poller) throws LinuxException {
        watch = poller.watch(fd, Epoll.IN, this::drain);
    }

    /** Reads what is there now. */
    private synchronized void drain() {
        if (!fd.isOpen()) {
            return;
        }
        try (var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(CHUNK);
            while (true) {
                long count = Native.call(Syscall.READ, fd.number(), buffer.address(), CHUNK);
                if (count == -Errno.EAGAIN.code()) {
                    return;
                }
                if (count == -Errno.EINTR.code()) {
                    continue;
                }
                if (count <= 0) {
                    close();
                    return;
                }
                int room = (int) Math.min(count, cap - kept.size());
                truncated |= room < count;
                if (room > 0) {
                    kept.write(buffer.asSlice(0, room).toArray(ValueLayout.JAVA_BYTE), 0, room);
                }
            }
        }
    }

    /**
     * Takes the rest after the command's end. What processes that outlive it may still write is not waited for; in a PID
     * namespace there are none.
     */
    synchronized byte[] finish() {
        drain();
        close();
        return kept.toByteArray();
    }

    synchronized boolean isTruncated() {
        return truncated;
    }

    @Override
    public synchronized void close() {
        if (watch != null) {
            watch.end();
            watch = null;
        }
        fd.close();
    }
}
