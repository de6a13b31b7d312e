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
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads what a command writes, for sinks that never block, without a thread: the poller drives it. Where the JVM has no memory
 * for it, the capture has failed: half of an output must not look like all of it.
 */
final class Capture implements Tap {
    private static final int CHUNK = 65_536;

    private final Fd fd;
    private final List<Sink> sinks;
    private final Consumer<Throwable> onFailure;
    private final CompletableFuture<?> done = CompletableFuture.completedFuture(null);
    private boolean over;
    private Poller.@Nullable Watch watch;

    /** @param onFailure told at once, and once, that nothing is captured any more */
    Capture(Fd fd, List<Sink> sinks, Consumer<Throwable> onFailure) {
        this.fd = fd;
        this.sinks = sinks;
        this.onFailure = onFailure;
    }

    synchronized void begin(Poller poller) throws LinuxException {
        watch = poller.watch(fd, Epoll.IN, this::drain);
    }

    /** Reads what is there now. */
    private void drain() {
        try {
            read();
        } catch (SinkException | RuntimeException | Error failed) {
            fail(failed);
        }
    }

    private synchronized void fail(Throwable why) {
        letGo();
        if (!over) {
            over = true;
            sinks.forEach(sink -> sink.fail(why));
            onFailure.accept(why);
        }
    }

    private synchronized void read() throws SinkException {
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
                for (var sink : sinks) {
                    sink.take(buffer.asSlice(0, count));
                }
            }
        }
    }

    @Override
    public void launched() {}

    @Override
    public void ended() {
        drain();
        close();
    }

    /** Whoever asks after the end of the command: its sinks have had all by then. */
    @Override
    public CompletableFuture<?> done() {
        return done;
    }

    @Override
    public synchronized void close() {
        letGo();
        if (over) {
            return;
        }
        try {
            for (var sink : sinks) {
                sink.finish();
                sink.close();
            }
            over = true;
        } catch (SinkException | OutOfMemoryError failed) {
            fail(failed);
        }
    }

    private void letGo() {
        if (watch != null) {
            watch.end();
            watch = null;
        }
        fd.close();
    }
}
