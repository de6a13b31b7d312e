// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Threads for what must be on time and may take a moment: timeouts, and ends of containers. They are platform threads, since
 * virtual ones wait for a carrier, which the application may keep busy. The first is there before it is needed; more come
 * with the work and go again; where none can be made, the work waits for those there are.
 */
final class Hands implements AutoCloseable {
    private static final int MOST = 16;
    private static final int IDLE_SECONDS = 5;

    private final Queue queue = new Queue();
    private final ThreadPoolExecutor threads;

    Hands() {
        this(Thread.ofPlatform().daemon().name("caisson-hand-", 0).factory());
    }

    Hands(ThreadFactory factory) {
        threads = new ThreadPoolExecutor(
                1, MOST, IDLE_SECONDS, TimeUnit.SECONDS, queue, factory, (task, _) -> queue.append(task));
        var _ = threads.prestartCoreThread();
    }

    /** Takes work for a thread that is idle, so that otherwise a new one is made. */
    private static final class Queue extends LinkedTransferQueue<Runnable> {
        private static final long serialVersionUID = 1;

        @Override
        public boolean offer(Runnable task) {
            return tryTransfer(task);
        }

        void append(Runnable task) {
            put(task);
        }
    }

    /** Does something soon. What it throws is the business of the thread's handler and ends nothing else. */
    void take(Runnable work) {
        try {
            threads.execute(work);
        } catch (OutOfMemoryError noThread) {
            queue.append(work);
        }
    }

    /** Ends the threads when they have done what they have. */
    @Override
    public void close() {
        threads.shutdown();
    }
}
