// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.jfr;

import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.cgroups.spec.Usage;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Flow;
import java.util.stream.Collectors;
import jdk.jfr.FlightRecorder;

/**
 * Tells the flight recorder of limits that were met: as it happens if it records when a cgroup is made, else in sums when the
 * cgroup is closed. Never on the thread of whoever uses the cgroup while it runs.
 */
public final class FlightEvents {
    private FlightEvents() {}

    /** {@return whether anybody records any of them} */
    public static boolean areRecorded() {
        // Touching an event class makes the JDK set up all of the recorder, which takes a good part of a second.
        return FlightRecorder.isInitialized()
                && (new LimitHit().isEnabled() || new OutOfMemoryKill().isEnabled() || new Throttled().isEnabled());
    }

    /** {@return a subscriber that records all events of a cgroup} */
    public static Flow.Subscriber<CgroupEvent> recorder(String cgroup) {
        return new Flow.Subscriber<>() {
            @Override
            public void onSubscribe(Flow.Subscription subscription) {
                subscription.request(Long.MAX_VALUE);
            }

            @Override
            public void onNext(CgroupEvent event) {
                record(cgroup, event);
            }

            @Override
            public void onError(Throwable unwatchable) {
                // Whoever uses the cgroup hears of it from the cgroup.
            }

            @Override
            public void onComplete() {}
        };
    }

    private static void record(String cgroup, CgroupEvent event) {
        switch (event) {
            case CgroupEvent.OutOfMemoryKill(long kills, var cause) -> outOfMemory(cgroup, kills, cause);
            case CgroupEvent.MemoryHigh(long times) -> limitHit(cgroup, "memoryHigh", times);
            case CgroupEvent.MemoryMax(long times) -> limitHit(cgroup, "memoryMax", times);
            case CgroupEvent.SwapMax(long times) -> limitHit(cgroup, "swapMax", times);
            case CgroupEvent.PidsMax(long times) -> limitHit(cgroup, "pidsMax", times);
            case CgroupEvent.HugetlbMax(long _, long times) -> limitHit(cgroup, "hugetlbMax", times);
            case CgroupEvent.Throttled(long periods, var time) -> throttled(cgroup, periods, time);
            case CgroupEvent.Populated _, CgroupEvent.Frozen _ -> {}
        }
    }

    /** Records what there was from begin to end of a cgroup. */
    public static void recordAll(String cgroup, Usage usage, Optional<OutOfMemory> outOfMemory) {
        outOfMemory.ifPresent(cause -> outOfMemory(cgroup, cause.kills(), cause));
        usage.memory().map(Usage.Memory::events).ifPresent(events -> {
            limitHit(cgroup, "memoryHigh", events.high());
            limitHit(cgroup, "memoryMax", events.max());
        });
        usage.swap().ifPresent(swap -> limitHit(cgroup, "swapMax", swap.max()));
        usage.pids().ifPresent(pids -> limitHit(cgroup, "pidsMax", pids.maxEvents()));
        usage.hugetlb().values().forEach(pages -> limitHit(cgroup, "hugetlbMax", pages.maxEvents()));
        usage.throttling()
                .filter(t -> t.throttledPeriods() > 0)
                .ifPresent(t -> throttled(cgroup, t.throttledPeriods(), t.throttledTime()));
    }

    private static void limitHit(String cgroup, String limit, OptionalLong times) {
        if (times.orElse(0) > 0) {
            limitHit(cgroup, limit, times.getAsLong());
        }
    }

    private static void limitHit(String cgroup, String limit, long times) {
        var event = new LimitHit();
        event.cgroup = cgroup;
        event.limit = limit;
        event.times = times;
        event.commit();
    }

    private static void outOfMemory(String cgroup, long kills, OutOfMemory cause) {
        var event = new OutOfMemoryKill();
        event.cgroup = cgroup;
        event.kills = kills;
        event.scope = cause.scope().name();
        event.level = cause.level().orElse("");
        event.limitBytes = cause.limitBytes().orElse(-1);
        event.victims =
                cause.victims().stream().map(OutOfMemory.Victim::toString).collect(Collectors.joining(", "));
        event.commit();
    }

    private static void throttled(String cgroup, long periods, Duration time) {
        var event = new Throttled();
        event.cgroup = cgroup;
        event.periods = periods;
        event.time = time.toNanos();
        event.commit();
    }
}
