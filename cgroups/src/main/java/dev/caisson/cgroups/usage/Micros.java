// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.usage;

import java.time.Duration;
import java.time.temporal.ChronoUnit;

/** Microseconds, as version 2 counts time. */
public final class Micros {
    private Micros() {}

    /** {@return so many of them; not by way of nanoseconds, of which a long holds 292 years only} */
    public static Duration duration(long micros) {
        return Duration.of(micros, ChronoUnit.MICROS);
    }
}
