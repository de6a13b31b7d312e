// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import dev.caisson.linux.LinuxException;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One daemon thread that waits for everything: ends of processes, pipes, changes of control files, and points in time. However
 * many containers run and cgroups are watched, there is one. What it calls back must be short and never a user's code; what
 * takes longer it {@linkplain #handOff hands off}. Nothing that a callback throws ends it.
 */
public final class Poller implements AutoCloseable {
    private static final Shared SHARED = new Shared();

    private final Epoll epoll;
    private final ConcurrentHashMap<Long, Watch> watches = new ConcurrentHashMap<>();
    private final PriorityQueue<Alarm> alarms = new PriorityQueue<>((a, b) -> Long.signum(a.at - b.at));
    private final AtomicLong ids = new AtomicLong();
    private final Hands hands;
    private final Thread thread;
    private volatile boolean closed;
    private volatile boolean brief;

    public Poller() throws LinuxException {
        epoll = Epoll.create();
        try {
            hands = new Hands();
            thread = Thread.ofPlatform().daemon().name("caisson-poller").start(this::loop);
        } catch (RuntimeException | Error noThread) {
            epoll.close();
            throw noThread;
        }
    }

    /** Ends the one of this JVM, if there is one; the next caller that needs it gets another. */
    public static void closeShared() {
        SHARED.close();
    }

    /**
     * From now on waits in Java, and in the kernel for no time: at its end HotSpot waits up to 300 ms for threads that are in
     * native code. What is watched is still served, for hooks of the application that end their containers.
     */
    private void beBrief() {
        brief = true;
        epoll.wake();
    }

    /** {@return the one of this JVM; made when the first caller needs it} */
    public static Poller shared() throws LinuxException {
        return SHARED.get();
    }

    /** Not a static initializer: where descriptors are short, making it fails, and may be tried again later. */
    private static final class Shared {
        private @Nullable Poller poller;

        private @Nullable Thread hook;

        synchronized Poller get() throws LinuxException {
            if (poller == null) {
                var made = new Poller();
                poller = made;
                try {
                    hook = Thread.ofPlatform().name("caisson-last").unstarted(made::beBrief);
                    Runtime.getRuntime().addShutdownHook(hook);
                } catch (IllegalStateException endingAlready) {
                    made.beBrief();
                }
            }
            return poller;
        }

        synchronized void close() {
            if (poller != null) {
                poller.close();
                poller = null;
            }
            if (hook != null) {
                try {
                    var _ = Runtime.getRuntime().removeShutdownHook(hook);
                } catch (IllegalStateException endingAlready) {
                    // It has run, or will find nothing to do.
                }
                hook = null;
            }
        }
    }

    /** A watched descriptor; {@link #end} before closing it. */
    public final class Watch {
        private final long id = ids.incrementAndGet();
        private final Fd fd;
        private final Runnable ready;

        private Watch(Fd fd, Runnable ready) {
            this.fd = fd;
            this.ready = ready;
        }

        /** Stops watching. Idempotent. */
        public void end() {
            if (watches.remove(id) != null) {
                epoll.remove(fd);
            }
        }
    }

    /** A point in time at which something is done unless it is cancelled. */
    public final class Alarm {
        private final long at;
        private final Runnable action;

        private Alarm(long at, Runnable action) {
            this.at = at;
            this.action = action;
        }

        public void cancel() {
            synchronized (alarms) {
                var _ = alarms.remove(this);
            }
        }
    }

    /**
     * Watches a descriptor until the watch is ended.
     *
     * @param interest {@link Epoll#IN}, {@link Epoll#OUT} or {@link Epoll#PRI}, level-triggered
     * @param ready called on the poller's thread whenever it is ready, in error, or hung up
     */
    public Watch watch(Fd fd, int interest, Runnable ready) throws LinuxException {
        var watch = new Watch(fd, ready);
        watches.put(watch.id, watch);
        try {
            epoll.add(fd, interest, watch.id);
            return watch;
        } catch (LinuxException refused) {
            watches.remove(watch.id);
            throw refused;
        }
    }

    /** Has something done at once by a platform thread that may take its time: the application's busy threads delay nothing. */
    public void handOff(Runnable work) {
        hands.take(work);
    }

    /**
     * Does something after a while, on the poller's thread.
     *
     * @param nanos as {@link Patience#nanos} has it
     */
    public Alarm after(long nanos, Runnable action) {
        var alarm = new Alarm(System.nanoTime() + nanos, action);
        boolean first;
        synchronized (alarms) {
            alarms.add(alarm);
            first = alarms.peek() == alarm;
        }
        if (first && Thread.currentThread() != thread) {
            epoll.wake();
        }
        return alarm;
    }

    private void loop() {
        try {
            while (!closed) {
                try {
                    if (brief) {
                        LockSupport.parkNanos(1_000_000);
                    }
                    epoll.await(brief ? 0 : untilNextAlarm(), (id, _) -> {
                        var watch = watches.get(id);
                        if (watch != null) {
                            run(watch.ready);
                        }
                    });
                    runDueAlarms();
                } catch (OutOfMemoryError later) {
                    // What was not done now is told again by the kernel, or still in the queue of alarms.
                    LockSupport.parkNanos(1_000_000);
                }
            }
        } catch (LinuxException impossible) {
            throw new IllegalStateException("the poller cannot wait", impossible);
        } finally {
            epoll.close();
            hands.close();
        }
    }

    private int untilNextAlarm() {
        synchronized (alarms) {
            var next = alarms.peek();
            if (next == null) {
                return -1;
            }
            long nanos = next.at - System.nanoTime();
            // Rounded up: too early would be a wait in vain.
            return Math.clamp(TimeUnit.NANOSECONDS.toMillis(nanos + 999_999), 0, Integer.MAX_VALUE);
        }
    }

    private void runDueAlarms() {
        while (true) {
            Alarm due;
            synchronized (alarms) {
                due = alarms.peek();
                if (due == null || due.at - System.nanoTime() > 0) {
                    return;
                }
                var _ = alarms.poll();
            }
            run(due.action);
        }
    }

    /** The thread serves all containers of the JVM: a bug met while serving one must not end it. */
    private static void run(Runnable action) {
        try {
            action.run();
        } catch (RuntimeException | Error bug) {
            report(bug);
        }
    }

    private static void report(Throwable bug) {
        try {
            var thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, bug);
        } catch (RuntimeException | Error ofTheHandler) {
            // It is the application's own; there is nobody left to tell.
        }
    }

    /** Ends the thread; nothing that is still watched will be called any more. */
    @Override
    public void close() {
        closed = true;
        epoll.wake();
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
