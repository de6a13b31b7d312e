// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import dev.caisson.cgroups.spec.Limit.Amount;
import dev.caisson.linux.ByteUnit;
import java.time.Duration;

/** Refuses values that make no sense, by an IllegalArgumentException that names option, value and what is allowed. */
final class Check {
    private Check() {}

    static long within(String option, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(option + ": " + value + " is not within " + least + " to " + most);
        }
        return value;
    }

    static Amount positive(String option, Amount amount) {
        if (amount.value().isPresent() && amount.value().getAsLong() <= 0) {
            throw new IllegalArgumentException(option + ": " + amount + " is not positive");
        }
        return amount;
    }

    static Amount notNegative(String option, Amount amount) {
        if (amount.value().isPresent() && amount.value().getAsLong() < 0) {
            throw new IllegalArgumentException(option + ": " + amount + " is negative");
        }
        return amount;
    }

    static Amount bytes(String option, long amount, ByteUnit unit) {
        try {
            return Amount.of(unit.toBytes(amount));
        } catch (IllegalArgumentException outOfRange) {
            throw new IllegalArgumentException(option + ": " + outOfRange.getMessage(), outOfRange);
        }
    }

    /** {@return microseconds} */
    static long micros(String option, Duration time, long least, long most) {
        if (time.compareTo(Duration.ofNanos(least * 1000)) < 0 || time.compareTo(Duration.ofNanos(most * 1000)) > 0) {
            throw new IllegalArgumentException(option + ": " + time + " is not within " + Duration.ofNanos(least * 1000)
                    + " to " + Duration.ofNanos(most * 1000));
        }
        return time.toNanos() / 1000;
    }

    /** A name that becomes one word of a line: no blank, no control character. */
    static String word(String option, String value) {
        if (value.isEmpty() || value.chars().anyMatch(c -> c <= ' ' || c == 0x7f)) {
            throw new IllegalArgumentException(option + ": \"" + value + "\" is not a single word");
        }
        return value;
    }
}
