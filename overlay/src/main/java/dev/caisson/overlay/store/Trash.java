// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.store;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Takes trees out of the way by a rename, and removes them on a thread of its own. What is not removed when the process ends
 * is removed by the next sweep.
 */
final class Trash implements AutoCloseable {
    private static final int IDLE_SECONDS = 5;

    private final StoreDirectory store;
    private final Removal removal;
    private final ExecutorService remover;
    private @Nullable IOException failure;

    Trash(StoreDirectory store, Removal removal) {
        this.store = store;
        this.removal = removal;
        var one = new ThreadPoolExecutor(
                1,
                1,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                Thread.ofPlatform().daemon().name("caisson-layers-", 0).factory());
        one.allowCoreThreadTimeOut(true);
        this.remover = one;
    }

    /** Moves a tree away, at once, whatever its size; its name is free then. */
    void discard(Path tree) throws IOException {
        Path away = store.path(StoreDirectory.TRASH, UUID.randomUUID().toString());
        StoreDirectory.rename(tree, away, 0);
        remover.execute(() -> remove(away));
    }

    /** {@return whether a tree was there to {@linkplain #discard discard}} Its owner may have discarded it meanwhile. */
    boolean discardIfThere(Path tree) throws IOException {
        try {
            discard(tree);
            return true;
        } catch (LinuxException gone) {
            if (gone.errno().equals(Errno.ENOENT)) {
                return false;
            }
            throw gone;
        }
    }

    private void remove(Path away) {
        try {
            removal.remove(away);
        } catch (IOException failed) {
            synchronized (this) {
                if (failure == null) {
                    failure = failed;
                } else {
                    failure.addSuppressed(failed);
                }
            }
        }
    }

    /** Removes all there is, on the calling thread. */
    void empty() throws IOException {
        for (String name : store.names(StoreDirectory.TRASH)) {
            Path away = store.path(StoreDirectory.TRASH, name);
            try {
                removal.remove(away);
            } catch (IOException failed) {
                if (Files.exists(away, LinkOption.NOFOLLOW_LINKS)) {
                    throw failed;
                }
                // Whoever discarded it has removed it meanwhile.
            }
        }
        synchronized (this) {
            failure = null; // What could not be removed then is gone now.
        }
    }

    /**
     * Waits until everything is removed.
     *
     * @throws IOException if something could not be
     */
    @Override
    public void close() throws IOException {
        remover.shutdown();
        boolean interrupted = false;
        while (true) {
            try {
                if (remover.awaitTermination(1, TimeUnit.HOURS)) {
                    break;
                }
            } catch (InterruptedException again) {
                interrupted = true; // The next tree would be moved under the remover's feet.
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        synchronized (this) {
            if (failure != null) {
                throw failure;
            }
        }
    }
}
