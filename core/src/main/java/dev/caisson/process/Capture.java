// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Epoll;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Native;
import dev.caisson.linux.sys.Poller;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what a command writes, up to a cap; beyond it reads on and drops, so that the command never blocks on us. The
 * poller drives it. Where the JVM has no memory for it, the capture has failed and keeps nothing: half of an output must not
 * look like all of it.
 */
final class Capture implements AutoCloseable {
    private static final int CHUNK = 65_536;

    private final Fd fd;
    private final int cap;
    private final Consumer<Throwable> onFailure;
    private final List<byte[]> kept = new ArrayList<>();
    private final CompletableFuture<byte[]> content = new CompletableFuture<>();
    private int size;
    private boolean truncated;
    private Poller.@Nullable Watch watch;

    /** @param onFailure told at once, and once, that nothing is captured any more */
    Capture(Fd fd, int cap, Consumer<Throwable> onFailure) {
        this.fd = fd;
        this.cap = cap;
        this.onFailure = onFailure;
    }

    synchronized void begin(Poller poller) throws LinuxException {
        watch = poller.watch(fd, Epoll.IN, this::drain);
    }

    /** Reads what is there now. */
    private void drain() {
        try {
            read();
        } catch (RuntimeException | Error failed) {
            fail(failed);
        }
    }

    private synchronized void fail(Throwable why) {
        kept.clear();
        letGo();
        if (content.completeExceptionally(why)) {
            onFailure.accept(why);
        }
    }

    private synchronized void read() {
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
                    letGo();
                    return;
                }
                keep(buffer, (int) count);
            }
        }
    }

    private void keep(MemorySegment buffer, int count) {
        int room = Math.min(count, cap - size);
        truncated |= room < count;
        if (room > 0) {
            kept.add(buffer.asSlice(0, room).toArray(ValueLayout.JAVA_BYTE));
            size += room;
        }
    }

    /**
     * Takes the rest after the command's end. What processes that outlive it may still write is not waited for; in a PID
     * namespace there are none.
     */
    void finish() {
        drain();
        close();
    }

    /** {@return what was kept; complete once the command has ended, or the capture was closed} */
    CompletableFuture<byte[]> content() {
        return content;
    }

    synchronized boolean isTruncated() {
        return truncated;
    }

    @Override
    public synchronized void close() {
        letGo();
        if (content.isDone()) {
            return;
        }
        try {
            content.complete(joined());
        } catch (OutOfMemoryError failed) {
            fail(failed);
        }
    }

    /** Each piece is given up as soon as it is copied, so that twice the output is needed for a moment only. */
    private byte[] joined() {
        byte[] all = new byte[size];
        int at = 0;
        for (int i = 0; i < kept.size(); i++) {
            byte[] piece = kept.set(i, new byte[0]);
            System.arraycopy(piece, 0, all, at, piece.length);
            at += piece.length;
        }
        kept.clear();
        return all;
    }

    private void letGo() {
        if (watch != null) {
            watch.end();
            watch = null;
        }
        fd.close();
    }
}
