// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import java.util.OptionalLong;

/**
 * An upper bound: a number, or none at all, which the kernel's files spell {@code max}.
 *
 * @param value empty: without bound
 */
public record Amount(OptionalLong value) {
    private static final Amount MAX = new Amount(OptionalLong.empty());

    /** {@return a bound at this number} */
    public static Amount of(long value) {
        return new Amount(OptionalLong.of(value));
    }

    /** {@return no bound: for lifting one that was set before} */
    public static Amount max() {
        return MAX;
    }

    /** {@return the number, or {@code max}} */
    @Override
    public String toString() {
        return value.isPresent() ? Long.toString(value.getAsLong()) : "max";
    }
}
