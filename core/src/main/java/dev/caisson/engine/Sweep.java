// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.linux.sys.Poller;
import java.io.IOException;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Removes the cgroups, and all that runs in them, of JVMs that were killed together with their zygotes, so that nobody was left to
 * do it: once for each place where this JVM makes cgroups, a moment after the first use, so that it delays no launch. Thread-safe.
 */
final class Sweep {
    private static final long DELAY_NANOS = 1_000_000_000;

    private final Set<Optional<String>> swept = new HashSet<>();

    /** @param parent the cgroup below which one was made; empty: where they are made if none is named */
    void after(Optional<String> parent) throws IOException {
        synchronized (swept) {
            if (!swept.add(parent)) {
                return;
            }
        }
        var poller = Poller.shared();
        var _ = poller.after(DELAY_NANOS, () -> poller.handOff(() -> remove(parent)));
    }

    private static void remove(Optional<String> parent) {
        try {
            var _ = parent.isPresent() ? Cgroup.removeLeftovers(parent.get()) : Cgroup.removeLeftovers();
        } catch (IOException | RuntimeException notOurs) {
            // Somebody else's, or busy: whoever asks for it by removeLeftovers is told.
        }
    }
}
