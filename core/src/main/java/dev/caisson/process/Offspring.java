// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Processes;
import java.io.IOException;

/** What the command of a reaper has started: killed until the reaper, which waits for all of it, is gone. */
final class Offspring {
    /** How long descendants are looked for, and at what intervals, before those that are left are given up. */
    private static final long DESCENDANTS_NANOS = 10_000_000_000L;

    private static final int MOST_ROUNDS = 50;
    private static final long FIRST_PAUSE_NANOS = 100_000;
    private static final long LONGEST_PAUSE_NANOS = 20_000_000;

    /** How long the reaper may take to end when nothing is left but the command. */
    private static final long BRIEFLY_NANOS = 2_000_000;

    private final int pid;
    private final LiveProcess reaper;

    /** @param reaper the process of this pid, which is not reaped as long as its lock is held and it is alive */
    Offspring(int pid, LiveProcess reaper) {
        this.pid = pid;
        this.reaper = reaper;
    }

    void kill() throws IOException {
        var pidfd = reaper.held();
        if (pidfd.isEmpty()) {
            return;
        }
        try (var held = pidfd.get()) {
            if (Processes.awaitEnd(held, 0) || commandEnds(held)) {
                return; // It had started nothing that is left.
            }
            long end = System.nanoTime() + DESCENDANTS_NANOS;
            long pause = FIRST_PAUSE_NANOS;
            while (killThoseFound() && !Processes.awaitEnd(held, pause) && System.nanoTime() - end < 0) {
                pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
            }
        }
    }

    /** {@return whether the command is killed, and the reaper ends at once, since nothing is left; to look for that takes long} */
    private boolean commandEnds(Fd held) throws IOException {
        synchronized (reaper) {
            try {
                if (!reaper.isAlive() || reaper.hasTold() || !InitChild.signal(pid, Signal.SIGKILL)) {
                    return !reaper.isAlive();
                }
            } catch (LinuxException unknown) {
                return false; // It is found among all others then.
            }
        }
        return Processes.awaitEnd(held, BRIEFLY_NANOS);
    }

    private boolean killThoseFound() throws IOException {
        synchronized (reaper) {
            if (reaper.isAlive()) {
                var descendants = new Descendants(pid);
                descendants.kill();
                for (int i = 0; i < MOST_ROUNDS && descendants.killChildren(); i++) {
                    Thread.onSpinWait();
                }
            }
            return reaper.isAlive();
        }
    }
}
