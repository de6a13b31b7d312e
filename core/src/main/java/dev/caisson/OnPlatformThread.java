// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Work that would hold the carrier of a virtual thread, done elsewhere while the virtual thread waits. */
final class OnPlatformThread {
    private OnPlatformThread() {}

    /** The work. */
    @FunctionalInterface
    interface Work<T> {
        T call() throws IOException;
    }

    /** {@return the result} Interrupts are kept for later: the work cannot be abandoned half done. */
    static <T> T call(Work<T> work) throws IOException {
        var task = new FutureTask<T>(() -> work.call());
        Thread.ofPlatform().daemon().name("caisson-launch").start(task);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
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
