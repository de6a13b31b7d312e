// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mount;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Call;
import dev.caisson.linux.sys.HereRunner;
import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * A mount namespace for one piece of work, on a thread of its own that ends with it: for what must be mounted somewhere for a
 * moment, without the host ever seeing it.
 */
final class PrivateNamespace {
    private static final long CLONE_NEWNS = 0x20000;
    private static final long MS_REC_PRIVATE = 0x4000 | 1 << 18;

    /** Work that may mount. */
    interface Work<T> {
        T run() throws IOException;
    }

    private PrivateNamespace() {}

    static <T> T run(Work<T> work) throws IOException {
        var task = new FutureTask<T>(() -> {
            HereRunner.run(Call.of(Syscall.UNSHARE, Arg.named(CLONE_NEWNS, "CLONE_NEWNS")));
            HereRunner.run(Call.of(
                    Syscall.MOUNT,
                    Arg.nullPointer(),
                    Arg.text("/"),
                    Arg.nullPointer(),
                    Arg.named(MS_REC_PRIVATE, "MS_REC|MS_PRIVATE"),
                    Arg.nullPointer()));
            return work.run();
        });
        // A thread of the platform: what is unshared belongs to it alone, and goes with it.
        var thread = Thread.ofPlatform().name("caisson-mount").daemon().start(task);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    T result = task.get();
                    thread.join();
                    return result;
                } catch (InterruptedException again) {
                    interrupted = true; // It ends by itself, and what it makes must have an owner.
                } catch (ExecutionException failed) {
                    if (failed.getCause() instanceof IOException refused) {
                        throw refused;
                    }
                    throw new IllegalStateException(failed.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
