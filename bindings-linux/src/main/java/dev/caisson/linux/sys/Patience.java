// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import java.time.Duration;

/** How long waits last. The one place where a {@link Duration} of a user becomes nanoseconds. */
public final class Patience {
    /** Some 73 years: added to any reading of the clock it does not overflow, and nobody sees it end. */
    private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE / 4);

    private Patience() {}

    /** {@return a duration in nanoseconds; one that is negative is 0, one of more than 73 years is 73 years} */
    public static long nanos(Duration duration) {
        if (duration.isNegative()) {
            return 0;
        }
        return duration.compareTo(LONGEST) >= 0 ? LONGEST.toNanos() : duration.toNanos();
    }
}
