// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Poller;
import dev.caisson.linux.sys.Processes;

/** A dead process that cannot be reaped yet, since somebody traces it. */
final class Zombie {
    private static final long REAP_NANOS = 200_000_000;

    private Zombie() {}

    /** Reaps it when its tracer has let it go; its pidfd is closed then. */
    static void reapLater(Poller poller, Fd pidfd) {
        var _ = poller.after(REAP_NANOS, () -> {
            try {
                if (Processes.poll(pidfd).isEmpty()) {
                    reapLater(poller, pidfd);
                    return;
                }
            } catch (LinuxException stolen) {
                // Somebody else has reaped it.
            }
            pidfd.close();
        });
    }
}
