// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.sys.OnPlatformThread;
import dev.caisson.linux.sys.OnPlatformThread.Work;
import java.io.IOException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * The thread that is the parent of the zygotes, and so of all that they clone. The kernel sends a child its parent-death
 * signal when the very thread ends that is its parent (PR_SET_PDEATHSIG), so this one lives as long as the launcher. It waits
 * in Java, not in native code, where it would hold up the end of the JVM.
 */
final class Keeper implements AutoCloseable {
    private final LinkedBlockingQueue<Runnable> work = new LinkedBlockingQueue<>();
    private @Nullable Thread thread;
    private volatile boolean closed;

    /** Has something done, without waiting for it. */
    synchronized void later(Runnable task) {
        if (closed) {
            return;
        }
        work.add(task);
        if (thread == null) {
            thread = Thread.ofPlatform().daemon().name("caisson-zygote").start(this::run);
        }
    }

    /** {@return the result of some work} Interrupts are kept for later: what the work makes must have an owner. */
    <T> T call(Work<T> task) throws IOException {
        var future = new FutureTask<T>(task::call);
        later(future);
        if (closed) {
            throw new IOException("the launcher is closed");
        }
        return OnPlatformThread.resultOf(future);
    }

    private void run() {
        while (!closed || !work.isEmpty()) {
            try {
                work.take().run();
            } catch (InterruptedException goOn) {
                // Nobody of ours interrupts it, and it may not end.
            } catch (RuntimeException | Error bug) {
                var current = Thread.currentThread();
                current.getUncaughtExceptionHandler().uncaughtException(current, bug);
            }
        }
    }

    /** Ends the thread when all work is done. */
    @Override
    public void close() {
        Thread running;
        synchronized (this) {
            closed = true;
            running = thread;
            work.add(() -> {});
        }
        if (running != null) {
            joinQuietly(running);
        }
    }

    private static void joinQuietly(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException later) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
