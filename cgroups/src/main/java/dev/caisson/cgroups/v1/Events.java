// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v1;

import dev.caisson.cgroups.file.Text;
import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.watch.Growth;
import dev.caisson.cgroups.watch.Source;
import dev.caisson.cgroups.watch.WatchedFile;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Poller;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * What version 1 tells of: kills, and before Linux 6.11 forks that were refused, which since then are only counted. It has nothing
 * for limits of memory that were met.
 */
public final class Events {
    private final Poller poller;
    private final V1Driver driver;
    private final boolean fromBegin;
    private final Consumer<CgroupEvent> out;
    private final Consumer<LinuxException> lost;
    private final List<Source> sources;

    /**
     * @param fromBegin whether what happened before is told, too
     * @param out is called on the poller's thread
     * @param lost is called if nothing more can be told
     * @param sources get what is opened, so that they can be closed if this fails halfway
     */
    public Events(
            Poller poller,
            V1Driver driver,
            boolean fromBegin,
            Consumer<CgroupEvent> out,
            Consumer<LinuxException> lost,
            List<Source> sources) {
        this.poller = poller;
        this.driver = driver;
        this.fromBegin = fromBegin;
        this.out = out;
        this.lost = lost;
        this.sources = sources;
    }

    /** Opens what there is. */
    public void open() throws LinuxException {
        var memory = driver.directory("memory");
        if (memory.isPresent()) {
            var kills = OomNotification.watch(poller, memory.get(), fromBegin, out, lost);
            sources.add(kills);
            kills.look();
        }
        var pids = driver.directory("pids");
        if (pids.isPresent()) {
            watch(pids.get());
        }
    }

    private void watch(Path directory) throws LinuxException {
        Fd fd;
        try {
            fd = Files.open(directory.resolve("pids.events").toString(), Files.O_RDONLY, 0);
        } catch (LinuxException refused) {
            if (refused.errno().equals(Errno.ENOENT) && java.nio.file.Files.isDirectory(directory)) {
                return; // Before Linux 4.8.
            }
            throw refused;
        }
        var growth = new Growth(fromBegin, "max");
        var file = WatchedFile.watch(poller, fd, text -> refused(growth, text), lost);
        sources.add(file);
        file.look();
    }

    private void refused(Growth growth, Text text) {
        long times = growth.of(text)[0];
        if (times > 0) {
            out.accept(new CgroupEvent.PidsMax(times));
        }
    }
}
