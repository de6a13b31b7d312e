// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.text.FlatKeyed;
import dev.caisson.cgroups.text.Text;
import dev.caisson.cgroups.watch.Growth;
import dev.caisson.cgroups.watch.Kills;
import dev.caisson.cgroups.watch.Watching;
import dev.caisson.linux.LinuxException;
import java.nio.file.Path;
import java.util.function.Consumer;

/** What the files of a cgroup in the unified hierarchy tell when they change, each by its own open descriptor. */
public final class Events {
    private final Path directory;
    private final Watching watching;

    public Events(Path directory, Watching watching) {
        this.directory = directory;
        this.watching = watching;
    }

    /** Opens what there is for these limits. */
    public void open(Limits limits) throws LinuxException {
        watch("cgroup.events", states());
        watch("memory.events", memory());
        watch("pids.events", watching.counter(CgroupEvent.PidsMax::new));
        if (limits.find(Limit.SwapMax.class).isPresent()) {
            watch("memory.swap.events", watching.counter(CgroupEvent.SwapMax::new));
        }
        for (var limit : limits.all()) {
            if (limit instanceof Limit.HugetlbMax huge && !huge.reserved()) {
                watch(
                        "hugetlb." + huge.pageSize() + ".events",
                        watching.counter(times -> new CgroupEvent.HugetlbMax(huge.pageBytes(), times)));
            }
        }
    }

    private void watch(String name, Consumer<Text> changed) throws LinuxException {
        watching.file(directory, name, changed);
    }

    private Consumer<Text> states() {
        var keys = new FlatKeyed("populated", "frozen");
        var last = new long[2];
        return text -> {
            var now = keys.parse(text);
            if (now.orZero(0) != last[0]) {
                last[0] = now.orZero(0);
                watching.out().accept(new CgroupEvent.Populated(last[0] == 1));
            }
            if (now.orZero(1) != last[1]) {
                last[1] = now.orZero(1);
                watching.out().accept(new CgroupEvent.Frozen(last[1] == 1));
            }
        };
    }

    private Consumer<Text> memory() {
        var growth = new Growth(watching.fromBegin(), "high", "max", "oom_kill");
        return text -> {
            long[] grown = growth.of(text);
            if (grown[0] > 0) {
                watching.out().accept(new CgroupEvent.MemoryHigh(grown[0]));
            }
            if (grown[1] > 0) {
                watching.out().accept(new CgroupEvent.MemoryMax(grown[1]));
            }
            if (grown[2] > 0) {
                watching.out().accept(Kills.event(grown[2]));
            }
        };
    }
}
