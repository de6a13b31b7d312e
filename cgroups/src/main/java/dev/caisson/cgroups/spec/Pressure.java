// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import java.time.Duration;
import java.util.Locale;

/**
 * Asks the kernel to tell when too much time is lost by waiting for a resource (a pressure stall trigger). The kernel watches;
 * nobody asks again and again.
 *
 * {@snippet :
 * // Within any second, some task waited 150 ms for memory.
 * Pressure.memory().some(Duration.ofMillis(150), Duration.ofSeconds(1))
 * }
 *
 * <p>Without CAP_SYS_RESOURCE the window must be a multiple of 2 s (Linux 6.4; before, root only). At most one event a window.
 * Source: Documentation/accounting/psi.rst.
 *
 * @param stall the time lost, positive and at most the window; to the microsecond
 * @param window 500 ms to 10 s
 */
public record Pressure(Resource resource, Waiting waiting, Duration stall, Duration window) {
    private static final Duration SHORTEST = Duration.ofMillis(500);
    private static final Duration LONGEST = Duration.ofSeconds(10);

    /** What is waited for. */
    public enum Resource {
        CPU,
        MEMORY,
        IO,
        /** Time that interrupts took; it has only {@code full}. Linux 6.1. */
        IRQ;

        /** At least one task waits for it. */
        public Pressure some(Duration stall, Duration window) {
            return new Pressure(this, Waiting.SOME, stall, window);
        }

        /** All tasks that are not idle wait for it at once. */
        public Pressure full(Duration stall, Duration window) {
            return new Pressure(this, Waiting.FULL, stall, window);
        }

        /** {@return the file that counts it} */
        public String file() {
            return name().toLowerCase(Locale.ROOT) + ".pressure";
        }
    }

    /** Who waits. */
    public enum Waiting {
        SOME,
        FULL
    }

    /**
     * More time than asked for was lost by waiting.
     *
     * @param trigger what was asked for
     * @param times how often since the last event; more than once if the subscriber was slow
     * @param now the averages when it happened last
     */
    public record Event(Pressure trigger, long times, Usage.Stall now) {}

    public Pressure {
        if (window.compareTo(SHORTEST) < 0 || window.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("pressure: a window of " + window + " is not within 500 ms to 10 s");
        }
        if (stall.toNanos() < 1000 || stall.compareTo(window) > 0) {
            throw new IllegalArgumentException(
                    "pressure: a stall of " + stall + " is not within 1 us and the window of " + window);
        }
        if (resource == Resource.IRQ && waiting == Waiting.SOME) {
            throw new IllegalArgumentException("pressure: of irq there is only full(...)");
        }
    }

    /** {@return waiting for a processor, or for the quota of {@code cpus}} */
    public static Resource cpu() {
        return Resource.CPU;
    }

    /** {@return waiting for memory to be reclaimed or swapped in} */
    public static Resource memory() {
        return Resource.MEMORY;
    }

    /** {@return waiting for disks} */
    public static Resource io() {
        return Resource.IO;
    }

    /** {@return time that interrupts took} */
    public static Resource irq() {
        return Resource.IRQ;
    }

    /** {@return what is written to the file, such as {@code some 150000 1000000}} */
    @Override
    public String toString() {
        return waiting.name().toLowerCase(Locale.ROOT) + " " + stall.toNanos() / 1000 + " " + window.toNanos() / 1000;
    }
}
