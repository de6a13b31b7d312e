// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.linux.sys.Poller;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Compares the processor time of everything in a container with a bound. It looks again when the bound could be reached at the
 * earliest, that is if all processors ran for it alone, and no sooner than a few milliseconds later, so that what is idle shortly
 * before its bound costs next to nothing. Thread-safe.
 */
final class CpuBudget {
    /** The time that may be used between two looks, on all processors together. */
    private static final long LEAST_NANOS = 20_000_000;

    /** A clock that counts milliseconds, as the poller's. */
    private static final long TICK_NANOS = 1_000_000;

    /** Says how much was used. */
    @FunctionalInterface
    interface Account {
        Duration used() throws IOException;
    }

    private final Poller poller;
    private final int processors;
    private final Duration most;
    private final Account account;
    private final Runnable onceOver;
    private Poller.@Nullable Alarm alarm;
    private boolean cancelled;

    /**
     * @param processors that it may run on at once
     * @param onceOver called by a thread of ours
     */
    CpuBudget(Poller poller, int processors, Duration most, Account account, Runnable onceOver) {
        this.poller = poller;
        this.processors = processors;
        this.most = most;
        this.account = account;
        this.onceOver = onceOver;
    }

    void begin() {
        lookAfter(most);
    }

    private synchronized void lookAfter(Duration left) {
        if (!cancelled) {
            long least = Math.max(TICK_NANOS, LEAST_NANOS / processors);
            long nanos = left.compareTo(Duration.ofDays(1000)) > 0 ? Long.MAX_VALUE / 2 : left.toNanos() / processors;
            alarm = poller.after(Math.max(least, nanos), () -> poller.handOff(this::look));
        }
    }

    private void look() {
        Duration left;
        try {
            left = most.minus(account.used());
        } catch (CgroupException vanished) {
            return; // Only an empty cgroup can be removed: nothing runs any more.
        } catch (IOException later) {
            left = Duration.ZERO.plusNanos(1);
        }
        if (left.isNegative() || left.isZero()) {
            onceOver.run();
        } else {
            lookAfter(left);
        }
    }

    synchronized void cancel() {
        cancelled = true;
        if (alarm != null) {
            alarm.cancel();
        }
    }
}
