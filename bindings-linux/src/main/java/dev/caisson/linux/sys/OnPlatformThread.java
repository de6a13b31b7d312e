// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Work that a virtual thread's carrier may not do, or no thread that lives on, done by a thread that ends with it. */
public final class OnPlatformThread {
    private OnPlatformThread() {}

    /** The work. */
    @FunctionalInterface
    public interface Work<T> {
        T call() throws IOException;
    }

    /**
     * {@return the result, when the thread has ended} Interrupts are kept for later: what the work makes must have an owner.
     *
     * @param name of the thread
     */
    public static <T> T call(String name, Work<T> work) throws IOException {
        var task = new FutureTask<T>(() -> work.call());
        var thread = Thread.ofPlatform().daemon().name(name).start(task);
        return resultOf(() -> {
            T result = task.get();
            thread.join();
            return result;
        });
    }

    /** {@return the result of work that another thread does} Interrupts are kept for later. */
    public static <T> T resultOf(FutureTask<T> task) throws IOException {
        return resultOf(task::get);
    }

    /** A wait that goes on where it is repeated. */
    @FunctionalInterface
    private interface Wait<T> {
        T once() throws InterruptedException, ExecutionException;
    }

    private static <T> T resultOf(Wait<T> wait) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return wait.once();
                } catch (InterruptedException later) {
                    interrupted = true;
                } catch (ExecutionException failed) {
                    switch (failed.getCause()) {
                        case IOException refused -> throw refused;
                        case RuntimeException bug -> throw bug;
                        case Error bug -> throw bug;
                        case null, default -> throw new AssertionError(failed);
                    }
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
