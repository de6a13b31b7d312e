// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mount;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.flag.ResolveFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.FileStatus.Time;
import java.nio.charset.StandardCharsets;

/**
 * A moment by the clock of a file system that parts its history: what was changed before has a ctime up to it, what is changed
 * later a greater one. That clock ticks every few milliseconds, so the moment is taken and one tick waited for.
 */
public final class Settled {
    private static final byte[] PROBE = "caisson-clock".getBytes(StandardCharsets.UTF_8);
    private static final int MOST_TRIES = 1000;

    private Settled() {}

    /** {@return the moment, by the clock of the file system of a directory that may be written to} */
    public static Time in(Fd directory) throws LinuxException {
        try (var probe =
                At.open(directory, PROBE, OpenFlags.O_CREAT | OpenFlags.O_RDWR, 0600, ResolveFlags.RESOLVE_BENEATH)) {
            try {
                Time now = touched(probe);
                for (int i = 0; i < MOST_TRIES; i++) {
                    if (touched(probe).isAfter(now)) {
                        break;
                    }
                    pause();
                }
                return now;
            } finally {
                At.unlink(directory, PROBE);
            }
        }
    }

    private static Time touched(Fd probe) throws LinuxException {
        At.changeMode(probe, 0600);
        return FileStatus.of(probe).changed();
    }

    private static void pause() {
        boolean interrupted = false;
        try {
            Thread.sleep(1);
        } catch (InterruptedException again) {
            interrupted = true; // A tick is soon over.
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
