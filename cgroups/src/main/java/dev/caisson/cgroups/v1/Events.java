// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v1;

import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.watch.Watching;
import dev.caisson.linux.LinuxException;

/**
 * What version 1 tells of: kills, and before Linux 6.11 forks that were refused, which since then are only counted. It has nothing
 * for limits of memory that were met.
 */
public final class Events {
    private final V1Driver driver;
    private final Watching watching;

    public Events(V1Driver driver, Watching watching) {
        this.driver = driver;
        this.watching = watching;
    }

    /** Opens what there is. */
    public void open() throws LinuxException {
        var memory = driver.directory("memory");
        if (memory.isPresent()) {
            var kills = OomNotification.watch(memory.get(), watching);
            watching.sources().add(kills);
            kills.look();
        }
        var pids = driver.directory("pids");
        if (pids.isPresent()) {
            watching.file(pids.get(), "pids.events", watching.counter(CgroupEvent.PidsMax::new)); // Linux 4.8.
        }
    }
}
