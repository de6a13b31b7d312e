// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.watch;

import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.spec.CgroupEvent.Frozen;
import dev.caisson.cgroups.spec.CgroupEvent.HugetlbMax;
import dev.caisson.cgroups.spec.CgroupEvent.MemoryHigh;
import dev.caisson.cgroups.spec.CgroupEvent.MemoryMax;
import dev.caisson.cgroups.spec.CgroupEvent.OutOfMemoryKill;
import dev.caisson.cgroups.spec.CgroupEvent.PidsMax;
import dev.caisson.cgroups.spec.CgroupEvent.Populated;
import dev.caisson.cgroups.spec.CgroupEvent.SwapMax;
import dev.caisson.cgroups.spec.CgroupEvent.Throttled;

/** Counts are added, of states the newest counts. */
public final class CgroupEventMerging implements Delivery.Merging<CgroupEvent> {
    @Override
    public Object kind(CgroupEvent event) {
        return event instanceof HugetlbMax(long pageBytes, long _) ? pageBytes : event.getClass();
    }

    @Override
    public CgroupEvent merge(CgroupEvent older, CgroupEvent newer) {
        return switch (newer) {
            case OutOfMemoryKill(long kills, var cause) ->
                new OutOfMemoryKill(((OutOfMemoryKill) older).kills() + kills, cause);
            case MemoryHigh(long times) -> new MemoryHigh(((MemoryHigh) older).times() + times);
            case MemoryMax(long times) -> new MemoryMax(((MemoryMax) older).times() + times);
            case SwapMax(long times) -> new SwapMax(((SwapMax) older).times() + times);
            case PidsMax(long times) -> new PidsMax(((PidsMax) older).times() + times);
            case HugetlbMax(long pageBytes, long times) ->
                new HugetlbMax(pageBytes, ((HugetlbMax) older).times() + times);
            case Throttled(long periods, var time) -> {
                var before = (Throttled) older;
                yield new Throttled(before.periods() + periods, before.time().plus(time));
            }
            case Populated state -> state;
            case Frozen state -> state;
        };
    }
}
