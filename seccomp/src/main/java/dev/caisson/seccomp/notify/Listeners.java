// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.notify;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.sys.Epoll;
import dev.caisson.linux.sys.Fd;
import dev.caisson.seccomp.Seccomp;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * All listeners of this JVM: one poller thread for those without work, and a platform thread for each that has some, since
 * the kernel's way to receive a call blocks, and would hold the carrier of a virtual thread. There are never more threads
 * than supervised containers that call. Thread-safe.
 */
public final class Listeners implements AutoCloseable {
    private static final int IDLE_SECONDS = 1;

    private final Launcher launcher;
    private final ConcurrentHashMap<Long, Listener> all = new ConcurrentHashMap<>();
    private final AtomicLong keys = new AtomicLong();
    private final ExecutorService threads = new ThreadPoolExecutor(
            0,
            Integer.MAX_VALUE,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            Thread.ofPlatform().daemon().name("caisson-supervisor-", 0).factory());
    private @Nullable Epoll epoll;
    private @Nullable Thread poller;
    private @Nullable NotificationSizes sizes;
    private volatile boolean closed;

    /** @param launcher of the children that act in other namespaces for a caller */
    public Listeners(Launcher launcher) {
        this.launcher = launcher;
    }

    /**
     * Answers the supervised calls of a filter from now on.
     *
     * @param fd what seccomp(2) returned for the policy's program with NEW_LISTENER; owned by the listener from here on
     */
    public Listener listen(Fd fd, Seccomp policy) throws IOException {
        try {
            var listener = new Listener(this, fd, policy, begin(), keys.incrementAndGet());
            all.put(listener.key(), listener);
            listener.park();
            return listener;
        } catch (IOException | RuntimeException failed) {
            fd.close();
            throw failed;
        }
    }

    private synchronized NotificationSizes begin() throws IOException {
        if (closed) {
            throw new IllegalStateException("the listeners are closed");
        }
        if (sizes == null) {
            sizes = NotificationSizes.ofThisKernel();
        }
        if (poller == null) {
            var made = Epoll.create();
            epoll = made;
            poller = Thread.ofPlatform().daemon().name("caisson-listener").start(() -> loop(made));
        }
        return sizes;
    }

    private void loop(Epoll epoll) {
        try {
            while (!closed) {
                epoll.await(-1, (key, _) -> {
                    var listener = all.get(key);
                    if (listener != null) {
                        ready(listener);
                    }
                });
            }
        } catch (LinuxException impossible) {
            throw new IllegalStateException("the poller of supervised calls cannot wait", impossible);
        }
    }

    /** The thread serves all listeners of the JVM: what goes wrong with one must not end it. */
    private static void ready(Listener listener) {
        try {
            listener.ready();
        } catch (RuntimeException | Error failed) {
            var thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, failed);
        }
    }

    private synchronized Epoll epoll() {
        return Objects.requireNonNull(epoll);
    }

    void watch(long key, Fd fd) throws LinuxException {
        epoll().add(fd, Epoll.IN, key);
    }

    void unwatch(Fd fd) {
        epoll().remove(fd);
    }

    void execute(Runnable service) {
        threads.execute(service);
    }

    void forget(long key) {
        all.remove(key);
    }

    Launcher launcher() {
        return launcher;
    }

    /** Closes all listeners and ends the threads. */
    @Override
    public void close() {
        Thread thread;
        synchronized (this) {
            closed = true;
            thread = poller;
        }
        all.values().forEach(Listener::close);
        threads.shutdown();
        if (thread == null) {
            return;
        }
        epoll().wake();
        try {
            thread.join();
            epoll().close();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
