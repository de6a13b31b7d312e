// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.process;

import dev.caisson.cgroups.file.ControlFile;
import dev.caisson.cgroups.file.Refusal;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Removes a cgroup and all below it, while its last processes are still on their way out. */
public final class Removal {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final long FIRST_PAUSE_NANOS = 50_000;
    private static final long LONGEST_PAUSE_NANOS = 10_000_000;

    private Removal() {}

    /** Kills what is in a cgroup. */
    @FunctionalInterface
    public interface Killing {
        void kill() throws IOException;
    }

    /**
     * Removes a tree of cgroups; where something is in the way, kills it and tries again, at most for ten seconds.
     *
     * @throws CgroupException if it stays busy
     */
    public static void of(Path cgroup, Killing killing) throws IOException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        long pause = FIRST_PAUSE_NANOS;
        var busy = attempt(cgroup);
        while (busy != null) {
            killing.kill();
            // A dying process counts until its parent or the kernel is done with it, so there is nothing to wait on.
            LockSupport.parkNanos(pause);
            if (Thread.interrupted()) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while removing " + HostPath.shown(cgroup));
            }
            pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
            busy = attempt(cgroup);
            if (busy != null && System.nanoTime() > end) {
                throw new CgroupException(
                        Reason.BUSY,
                        "cgroup",
                        busy.getMessage() + "; processes " + Tasks.of(cgroup) + " do not end (state D in ps?)",
                        busy);
            }
        }
    }

    /** {@return what was in the way, or null when it is gone} */
    private static @Nullable LinuxException attempt(Path cgroup) throws IOException {
        try {
            ControlFile.removeDirectory(cgroup);
            return null;
        } catch (LinuxException refused) {
            if (refused.errno().equals(Errno.ENOENT)) {
                return null;
            }
            if (!refused.errno().equals(Errno.EBUSY) && !refused.errno().equals(Errno.ENOTEMPTY)) {
                throw Refusal.ofMake(cgroup, refused);
            }
            // Most often there is nothing below, so that the tree is only looked at after the first refusal.
            for (Path child : Tasks.tree(cgroup)) {
                if (!child.equals(cgroup)) {
                    try {
                        ControlFile.removeDirectory(child);
                    } catch (LinuxException alsoRefused) {
                        if (!alsoRefused.errno().equals(Errno.ENOENT)) {
                            return alsoRefused;
                        }
                    }
                }
            }
            return refused;
        }
    }
}
