// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.engine.Engine;
import dev.caisson.engine.PreparedLaunch;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.PreparedLaunches;
import dev.caisson.linux.sys.Patience;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** The prepared containers of a pool, and the threads that make them. Thread-safe. */
final class PoolMembers implements AutoCloseable {
    private static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long LONGEST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** As long as more than half of them wait, who has just taken one is not disturbed by the making of another. */
    private static final long REST_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private static final int MOST_USED = 16;
    private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();

    private final ContainerSpec spec;
    private final int size;
    private final long idleNanos;
    private final PreparedLaunches plans = new PreparedLaunches();
    private final Semaphore cold = new Semaphore(PROCESSORS, true);
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<PreparedLaunch> waiting = new ArrayDeque<>();
    private final ArrayDeque<RunningContainer> used = new ArrayDeque<>();
    private final List<Thread> threads = new ArrayList<>();
    private int making;
    private long lastUse = System.nanoTime();
    private long pause;
    private long notBefore = System.nanoTime();
    private @Nullable IOException failure;
    private boolean asleep;
    private boolean closed;

    PoolMembers(ContainerSpec spec, int size, Optional<Duration> idle) {
        this.spec = spec;
        this.size = size;
        this.idleNanos = idle.map(Patience::nanos).orElse(Long.MAX_VALUE);
        try {
            for (int i = 0; i < Math.min(size, Math.max(1, PROCESSORS / 2)); i++) {
                threads.add(
                        Thread.ofPlatform().daemon().name("caisson-pool-" + i).start(this::refill));
            }
        } catch (OutOfMemoryError noThread) {
            stop();
            throw noThread;
        }
    }

    /** {@return how many wait} */
    int count() {
        lock.lock();
        try {
            return waiting.size();
        } finally {
            lock.unlock();
        }
    }

    /** Says that one was taken, once its command is on its way: until then nobody is to compete with that. */
    void taken() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * {@return one that waits, for the caller alone, who says {@link #taken} afterwards; made now if none does}
     *
     * @throws ContainerException if none does, and the last attempt to make one failed
     */
    PreparedLaunch take() throws ContainerException {
        var member = poll();
        if (member.isPresent()) {
            return member.get();
        }
        // So many at once and no more: a crowd of takers would only hold each other up.
        cold.acquireUninterruptibly();
        try {
            var made = poll();
            return made.isPresent() ? made.get() : Launching.prepared(spec, plans);
        } finally {
            cold.release();
        }
    }

    private Optional<PreparedLaunch> poll() throws ContainerException {
        while (true) {
            PreparedLaunch member;
            lock.lock();
            try {
                if (closed) {
                    throw new IllegalStateException("the pool is closed");
                }
                lastUse = System.nanoTime();
                asleep = false;
                member = waiting.poll();
                if (member == null) {
                    report();
                    return Optional.empty();
                }
            } finally {
                lock.unlock();
            }
            if (member.isWaiting()) {
                return Optional.of(member);
            }
            endQuietly(member);
        }
    }

    /** Gives up what was kept for the files of a container that has ended, by a thread of the pool unless those have much to do. */
    void letGo(RunningContainer container) throws IOException {
        lock.lock();
        try {
            if (!closed && used.size() < MOST_USED) {
                used.add(container);
                changed.signalAll();
                return;
            }
        } finally {
            lock.unlock();
        }
        container.letGo();
    }

    private void report() throws ContainerException {
        var why = failure;
        if (why != null) {
            failure = null;
            throw new ContainerException(
                    "pool: no container could be prepared: " + why.getMessage(),
                    why instanceof ContainerException c ? c.step().orElse("") : "",
                    why);
        }
    }

    private void refill() {
        while (awaitNeed()) {
            @Nullable PreparedLaunch made = null;
            @Nullable IOException refused = null;
            try {
                made = Launching.prepared(spec, plans);
            } catch (IOException failed) {
                refused = failed;
            } catch (RuntimeException | Error failed) {
                refused = new IOException(failed.toString(), failed);
            }
            if (made != null) {
                refused = watched(made);
            }
            boolean kept = keep(refused == null ? made : null, refused);
            if (made != null && !kept) {
                endQuietly(made);
            } else if (made != null && !made.isWaiting()) {
                lost(made); // Else whoever watches it may have looked too early.
            }
        }
    }

    private @Nullable IOException watched(PreparedLaunch made) {
        try {
            Engine.shared().onEnd(made, () -> lost(made));
            return null;
        } catch (IOException refused) {
            return refused;
        }
    }

    /** {@return whether it is one of those that wait now} */
    private boolean keep(@Nullable PreparedLaunch made, @Nullable IOException refused) {
        lock.lock();
        try {
            making--;
            if (refused != null) {
                failure = refused;
                pause = pause == 0 ? FIRST_PAUSE_NANOS : Math.min(2 * pause, LONGEST_PAUSE_NANOS);
                notBefore = System.nanoTime() + pause;
            } else {
                failure = null;
                pause = 0;
            }
            changed.signalAll();
            if (made == null || closed || asleep) {
                return false;
            }
            waiting.add(made);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** {@return true when one more is to be made; false at the end} */
    private boolean awaitNeed() {
        while (true) {
            List<PreparedLaunch> tooOld = List.of();
            @Nullable RunningContainer over;
            lock.lock();
            try {
                long now = System.nanoTime();
                boolean lacks = !asleep && !closed && waiting.size() + making < size;
                long left = (pause == 0 && waiting.size() + making > size / 2 ? lastUse + REST_NANOS : notBefore) - now;
                over = closed || left <= 0 || used.size() == MOST_USED ? used.poll() : null;
                if (over == null && closed) {
                    return false;
                }
                if (over == null && lacks && left <= 0) {
                    making++;
                    return true;
                }
                if (over == null && !asleep && idleNanos != Long.MAX_VALUE && now - lastUse >= idleNanos) {
                    asleep = true;
                    tooOld = List.copyOf(waiting);
                    waiting.clear();
                } else if (over == null) {
                    await(lacks || !used.isEmpty() ? left : Long.MAX_VALUE, now);
                }
            } finally {
                lock.unlock();
            }
            tooOld.forEach(PoolMembers::endQuietly);
            if (over != null) {
                letGoQuietly(over);
            }
        }
    }

    private static void letGoQuietly(RunningContainer container) {
        try {
            container.letGo();
        } catch (IOException leftToTheEndOfTheJvm) {
            // Nobody waits for it any more.
        }
    }

    @SuppressWarnings("WaitNotInLoop") // Who calls it looks again.
    private void await(long nanos, long now) {
        long untilIdle = asleep || idleNanos == Long.MAX_VALUE ? Long.MAX_VALUE : idleNanos - (now - lastUse);
        try {
            if (Math.min(nanos, untilIdle) == Long.MAX_VALUE) {
                changed.await();
            } else {
                var _ = changed.awaitNanos(Math.min(nanos, untilIdle));
            }
        } catch (InterruptedException nobodysBusiness) {
            // The thread is ours alone; whether it is to end is known otherwise.
        }
    }

    /** Somebody has ended one that waited. */
    private void lost(PreparedLaunch member) {
        lock.lock();
        try {
            waiting.remove(member);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        endQuietly(member);
    }

    /** Does nothing if it was taken. */
    private static void endQuietly(PreparedLaunch member) {
        try {
            member.close();
        } catch (IOException leftToTheEndOfTheJvm) {
            // The zygote ends it and removes its cgroup then.
        }
    }

    private List<PreparedLaunch> stop() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
            var rest = List.copyOf(waiting);
            waiting.clear();
            return rest;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() throws IOException {
        @Nullable IOException first = null;
        for (var member : stop()) {
            try {
                member.close();
            } catch (IOException failed) {
                first = first == null ? failed : first;
            }
        }
        boolean interrupted = false;
        for (var thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException later) {
                    interrupted = true; // What is being made has an owner only then.
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (first != null) {
            throw first;
        }
    }
}
