// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.notify;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.sys.Epoll;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Poller;
import dev.caisson.seccomp.Seccomp;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * All listeners of this JVM: the shared poller watches those without work, and each that has some gets a platform thread, since
 * the kernel's way to receive a call blocks, and would hold the carrier of a virtual thread. There are never more threads
 * than supervised containers that call. Thread-safe.
 */
public final class Listeners implements AutoCloseable {
    private static final int IDLE_SECONDS = 1;

    private final Launcher launcher;
    private final Set<Listener> all = ConcurrentHashMap.newKeySet();
    private final ExecutorService threads = new ThreadPoolExecutor(
            0,
            Integer.MAX_VALUE,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            Thread.ofPlatform().daemon().name("caisson-supervisor-", 0).factory());
    private @Nullable NotificationSizes sizes;
    private boolean closed;

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
        NotificationSizes known;
        try {
            known = begin();
        } catch (IOException | RuntimeException failed) {
            fd.close();
            throw failed;
        }
        var listener = new Listener(this, fd, policy, known);
        all.add(listener);
        try {
            listener.park();
            return listener;
        } catch (LinuxException refused) {
            listener.close();
            throw refused;
        }
    }

    private synchronized NotificationSizes begin() throws IOException {
        if (closed) {
            throw new IllegalStateException("the listeners are closed");
        }
        if (sizes == null) {
            sizes = NotificationSizes.ofThisKernel();
        }
        return sizes;
    }

    Poller.Watch watch(Fd fd, Runnable ready) throws LinuxException {
        return Poller.shared().watch(fd, Epoll.IN, ready);
    }

    void execute(Runnable service) {
        threads.execute(service);
    }

    void forget(Listener listener) {
        all.remove(listener);
    }

    Launcher launcher() {
        return launcher;
    }

    /** Closes all listeners; their threads end by themselves. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        all.forEach(Listener::close);
        threads.shutdown();
    }
}
