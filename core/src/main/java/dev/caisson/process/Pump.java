// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Epoll;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Native;
import dev.caisson.linux.sys.Poller;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads what a command writes, for sinks that may block, a user's code among them: on a thread of its own, which alone uses the
 * descriptor once it has begun. A sink that fails gets no more; the rest of the output is read all the same, so that the command
 * does not wait while it is being ended.
 */
final class Pump implements Tap {
    private static final int CHUNK = 65_536;

    /** What can be in a pipe when the command ends, unless root has enlarged it. */
    private static final int MOST_REST = 1 << 20;

    /** How long closing waits for a sink that does not heed an interrupt. */
    private static final long PATIENCE_MILLIS = 1000;

    private final String name;
    private final Fd fd;
    private final List<Sink> all;
    /** Those that have not failed; the thread's own. */
    private final List<Sink> sinks;

    private final Consumer<Throwable> onFailure;
    private final Poller poller;
    private final Semaphore ready = new Semaphore(0);
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private volatile boolean ended;
    private volatile boolean closed;
    private @Nullable Thread thread;
    private @Nullable Throwable failure;

    /**
     * @param name of the stream
     * @param onFailure told at once, and once, that not everything arrives
     */
    Pump(String name, Fd fd, List<Sink> sinks, Consumer<Throwable> onFailure, Poller poller) {
        this.name = name;
        this.fd = fd;
        this.all = List.copyOf(sinks);
        this.sinks = new ArrayList<>(sinks);
        this.onFailure = onFailure;
        this.poller = poller;
    }

    /** Not a virtual thread, which waits for a carrier, as long as others can be had. */
    @Override
    public synchronized void launched() {
        if (closed || thread != null) {
            return;
        }
        String called = "caisson-" + name;
        try {
            thread = Thread.ofPlatform().daemon().name(called).start(this::run);
        } catch (OutOfMemoryError noThread) {
            thread = Thread.ofVirtual().name(called).start(this::run);
        }
    }

    @Override
    public synchronized boolean isCaller() {
        return Thread.currentThread() == thread;
    }

    @Override
    public CompletableFuture<?> done() {
        return done;
    }

    @Override
    public void ended() {
        ended = true;
        ready.release();
    }

    private void run() {
        try (var arena = Arena.ofConfined()) {
            pump(arena.allocate(CHUNK));
            for (var sink : List.copyOf(sinks)) {
                give(sink, Sink::finish);
            }
            sinks.forEach(Sink::close);
        } catch (IOException | RuntimeException | Error failed) {
            sinks.forEach(sink -> end(sink, failed));
            failed(failed);
        } finally {
            fd.close();
            tell();
        }
    }

    /** Whoever waits must be told, and that takes a few bytes, which the failure itself sets free sooner or later. */
    private void tell() {
        while (!done.isDone()) {
            try {
                if (failure == null) {
                    done.complete(null);
                } else {
                    done.completeExceptionally(failure);
                }
            } catch (OutOfMemoryError later) {
                Thread.onSpinWait();
            }
        }
    }

    private void pump(MemorySegment buffer) throws IOException {
        int rest = 0;
        while (!closed && rest < MOST_REST) {
            boolean last = ended;
            long count = Native.call(Syscall.READ, fd.number(), buffer.address(), CHUNK);
            if (count > 0) {
                rest += last ? (int) count : 0;
                var bytes = buffer.asSlice(0, count);
                for (var sink : List.copyOf(sinks)) {
                    give(sink, s -> s.take(bytes));
                }
            } else if (count == -Errno.EAGAIN.code()) {
                if (last) {
                    return;
                }
                await();
            } else if (count == 0) {
                return;
            } else if (count != -Errno.EINTR.code()) {
                throw new LinuxException(Native.errno(count), "read(" + name + ")");
            }
        }
    }

    /** What is done with a sink. */
    private interface Work {
        void with(Sink sink) throws SinkException;
    }

    private void give(Sink sink, Work work) {
        if (closed) {
            return;
        }
        try {
            work.with(sink);
        } catch (SinkException | RuntimeException | Error failed) {
            var _ = sinks.remove(sink);
            end(sink, failed);
            failed(failed);
        }
    }

    private static void end(Sink sink, Throwable why) {
        sink.fail(why);
        sink.close();
    }

    /** What fails because of the closing is nobody's business any more. */
    private void failed(Throwable why) {
        if (failure == null && !closed) {
            failure = why;
            onFailure.accept(why);
        }
    }

    private void await() throws LinuxException {
        var _ = ready.drainPermits();
        var watch = poller.watch(fd, Epoll.IN | Epoll.ONESHOT, ready::release);
        try {
            if (!ended && !closed) {
                ready.acquire();
            }
        } catch (InterruptedException lookAgain) {
            // By close, or by a function that knows its thread; it is not for us.
        } finally {
            watch.end();
        }
    }

    @Override
    public void close() {
        closed = true;
        all.forEach(Sink::stop);
        Thread running;
        synchronized (this) {
            running = thread;
        }
        if (running == null) {
            all.forEach(Sink::close);
            fd.close();
            done.complete(null);
            return;
        }
        ready.release();
        if (running == Thread.currentThread() || done.isDone()) {
            return;
        }
        running.interrupt();
        awaitBriefly();
    }

    private void awaitBriefly() {
        try {
            var _ = done.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException leave) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException leave) {
            // Whoever waits for the command is told; or a function of the user's does as it likes.
        }
    }
}
