// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.fallback;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Processes;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The process behind a FUSE mount. */
final class FuseProcess implements AutoCloseable {
    private static final int SECONDS_TO_ANSWER = 20;
    private static final Duration TO_END = Duration.ofSeconds(5);

    private final Fd pidfd;
    private final Fd words;

    /** Takes ownership of its pidfd, and of what it writes to its standard error. */
    FuseProcess(Fd pidfd, Fd words) {
        this.pidfd = pidfd;
        this.words = words;
    }

    /** Waits until it serves the mount. A wait in the kernel for a process that says nothing ends with that process only. */
    void awaitAnswer(Fd root) throws IOException {
        var answered = new CompletableFuture<Void>();
        var _ = answered.orTimeout(SECONDS_TO_ANSWER, TimeUnit.SECONDS).exceptionally(late -> {
            try {
                var _ = Processes.signal(pidfd, Signal.SIGKILL);
            } catch (LinuxException gone) {
                // Then nobody waits for it.
            }
            return null;
        });
        try {
            var _ = FileStatus.of(root);
        } catch (LinuxException dead) {
            throw new IOException("it gave no answer: " + dead.getMessage() + said(), dead);
        } finally {
            answered.complete(null);
        }
    }

    private String said() throws LinuxException {
        // What it has to say it says before it ends, and it is ending.
        var _ = Processes.awaitEnd(pidfd, TO_END.toNanos());
        try (var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(1 << 12);
            int n = Files.read(words, buffer);
            String text = new String(buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
            return text.isBlank() ? "" : "; it says: " + text.strip().replace('\n', ' ');
        } catch (LinuxException nothing) {
            return "";
        }
    }

    /** Waits for its end, which that of the mount brings; kills it if that takes long. */
    @Override
    public void close() throws LinuxException {
        if (!pidfd.isOpen()) {
            return;
        }
        if (!Processes.awaitEnd(pidfd, TO_END.toNanos())) {
            kill();
            return;
        }
        end();
    }

    void kill() throws LinuxException {
        var _ = Processes.signal(pidfd, Signal.SIGKILL);
        end();
    }

    private void end() throws LinuxException {
        try {
            var _ = Processes.reap(pidfd);
        } finally {
            pidfd.close();
            words.close();
        }
    }
}
