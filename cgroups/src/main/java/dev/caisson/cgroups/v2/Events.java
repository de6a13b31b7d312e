// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import dev.caisson.cgroups.file.FlatKeyed;
import dev.caisson.cgroups.file.Text;
import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.spec.HugetlbMax;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.MemoryLimit;
import dev.caisson.cgroups.watch.Growth;
import dev.caisson.cgroups.watch.Kills;
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

/** What the files of a cgroup in the unified hierarchy tell when they change, each by its own open descriptor. */
public final class Events {
    private final Poller poller;
    private final Path directory;
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
            Path directory,
            boolean fromBegin,
            Consumer<CgroupEvent> out,
            Consumer<LinuxException> lost,
            List<Source> sources) {
        this.poller = poller;
        this.directory = directory;
        this.fromBegin = fromBegin;
        this.out = out;
        this.lost = lost;
        this.sources = sources;
    }

    /** Opens what there is for these limits. */
    public void open(Limits limits) throws LinuxException {
        watch("cgroup.events", states());
        watch("memory.events", memory());
        watch("pids.events", counter(CgroupEvent.PidsMax::new));
        if (limits.find(MemoryLimit.SwapMax.class).isPresent()) {
            watch("memory.swap.events", counter(CgroupEvent.SwapMax::new));
        }
        for (var limit : limits.all()) {
            if (limit instanceof HugetlbMax huge && !huge.reserved()) {
                watch(
                        "hugetlb." + huge.pageSize() + ".events",
                        counter(times -> new CgroupEvent.HugetlbMax(huge.pageBytes(), times)));
            }
        }
    }

    private void watch(String name, Consumer<Text> changed) throws LinuxException {
        Fd fd;
        try {
            fd = Files.open(directory.resolve(name).toString(), Files.O_RDONLY, 0);
        } catch (LinuxException refused) {
            if (refused.errno().equals(Errno.ENOENT) && java.nio.file.Files.isDirectory(directory)) {
                return; // The controller is not here.
            }
            throw refused;
        }
        var file = WatchedFile.watch(poller, fd, changed, lost);
        sources.add(file);
        file.look();
    }

    private Consumer<Text> states() {
        var keys = new FlatKeyed("populated", "frozen");
        var last = new long[2];
        return text -> {
            var now = keys.parse(text);
            if (now.orZero(0) != last[0]) {
                last[0] = now.orZero(0);
                out.accept(new CgroupEvent.Populated(last[0] == 1));
            }
            if (now.orZero(1) != last[1]) {
                last[1] = now.orZero(1);
                out.accept(new CgroupEvent.Frozen(last[1] == 1));
            }
        };
    }

    private Consumer<Text> memory() {
        var growth = new Growth(fromBegin, "high", "max", "oom_kill");
        return text -> {
            long[] grown = growth.of(text);
            if (grown[0] > 0) {
                out.accept(new CgroupEvent.MemoryHigh(grown[0]));
            }
            if (grown[1] > 0) {
                out.accept(new CgroupEvent.MemoryMax(grown[1]));
            }
            if (grown[2] > 0) {
                out.accept(Kills.event(grown[2]));
            }
        };
    }

    /** Makes an event of a number of times. */
    @FunctionalInterface
    private interface Counted {
        CgroupEvent event(long times);
    }

    private Consumer<Text> counter(Counted counted) {
        var growth = new Growth(fromBegin, "max");
        return text -> {
            long times = growth.of(text)[0];
            if (times > 0) {
                out.accept(counted.event(times));
            }
        };
    }
}
