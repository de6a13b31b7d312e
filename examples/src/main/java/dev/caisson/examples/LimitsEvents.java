// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.cgroups.spec.CgroupEvent;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Tells on a screen what the kernel tells of a container. What comes faster than it can be read is added up. */
final class LimitsEvents implements Flow.Subscriber<CgroupEvent> {
    private static final Duration BREATH = Duration.ofMillis(500);
    private static final int PATIENCE_SECONDS = 10;

    private final LimitsScreen screen;
    private final CompletableFuture<Void> end = new CompletableFuture<>();
    private Flow.@Nullable Subscription subscription;

    LimitsEvents(LimitsScreen screen) {
        this.screen = screen;
    }

    @Override
    public void onSubscribe(Flow.Subscription begun) {
        subscription = begun;
        begun.request(1);
    }

    @Override
    public void onNext(CgroupEvent event) {
        screen.tell(text(event));
        try {
            Thread.sleep(BREATH); // It is a virtual thread of this stream.
        } catch (InterruptedException enough) {
            Thread.currentThread().interrupt();
        }
        if (subscription != null) {
            subscription.request(1);
        }
    }

    private static String text(CgroupEvent event) {
        return switch (event) {
            case CgroupEvent.OutOfMemoryKill kill -> kill.cause().toString();
            case CgroupEvent.MemoryHigh(var times) -> "slowed for being above memory.high, times: " + times;
            case CgroupEvent.MemoryMax(var times) -> "reclaimed at memory.max, times: " + times;
            case CgroupEvent.SwapMax(var times) -> "refused to swap at memory.swap.max, times: " + times;
            case CgroupEvent.PidsMax(var times) -> "refused to fork at pids.max, times: " + times;
            case CgroupEvent.HugetlbMax(var size, var times) -> "refused huge pages of " + size + ", times: " + times;
            case CgroupEvent.Throttled(var periods, var time) ->
                "stopped at cpu.max, periods: " + periods + ", in all " + time.toMillis() / 1e3 + " s";
            case CgroupEvent.Populated(var populated) -> populated ? "it has processes" : "it has no process any more";
            case CgroupEvent.Frozen(var frozen) -> frozen ? "it stands still" : "it goes on";
        };
    }

    @Override
    public void onError(Throwable why) {
        screen.tell("the kernel tells no more: " + why.getMessage());
        end.complete(null);
    }

    @Override
    public void onComplete() {
        end.complete(null);
    }

    /** Waits until all is told. */
    void awaitEnd() {
        end.completeOnTimeout(null, PATIENCE_SECONDS, TimeUnit.SECONDS).join();
    }
}
