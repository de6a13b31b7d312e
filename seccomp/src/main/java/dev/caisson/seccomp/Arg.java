// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.seccomp.Condition.Comparison;

/**
 * An argument register of a system call, from which conditions are made: {@code arg(0).is(AF_UNIX)}. Values are unsigned, and
 * all 64 bits are compared.
 *
 * <p>Where the kernel declares an {@code int}, as for the family of a socket, it reads the lower half of the register and
 * ignores the upper, in which a hostile program may set bits. To allow, use conditions that such a value does not meet:
 * {@link #is}, {@link #lessThan}, {@link #atMost}, {@link #masked}. {@link #isNot}, {@link #moreThan} and {@link #atLeast}
 * are met by it, and decide what is to be refused.
 *
 * @param index 0 to 5
 */
public record Arg(int index) {
    /** {@return an argument, 0 to 5} */
    public static Arg arg(int index) {
        return new Arg(Condition.of(index, Comparison.EQ, 0).argument());
    }

    /** {@return the condition that the argument is a value, in all its 64 bits} */
    public Condition is(long value) {
        return Condition.of(index, Comparison.EQ, value);
    }

    /** {@return the condition that the argument is another value} */
    public Condition isNot(long value) {
        return Condition.of(index, Comparison.NE, value);
    }

    /** {@return the condition that the argument is less than a value; both are unsigned} */
    public Condition lessThan(long value) {
        return Condition.of(index, Comparison.LT, value);
    }

    /** {@return the condition that the argument is not greater than a value; both are unsigned} */
    public Condition atMost(long value) {
        return Condition.of(index, Comparison.LE, value);
    }

    /** {@return the condition that the argument is not less than a value; both are unsigned} */
    public Condition atLeast(long value) {
        return Condition.of(index, Comparison.GE, value);
    }

    /** {@return the condition that the argument is greater than a value; both are unsigned} */
    public Condition moreThan(long value) {
        return Condition.of(index, Comparison.GT, value);
    }

    /** {@return the condition that none of some bits is set} */
    public Condition hasNone(long bits) {
        return masked(bits, 0);
    }

    /** {@return the condition that all of some bits are set} */
    public Condition hasAll(long bits) {
        return masked(bits, bits);
    }

    /**
     * {@return the condition that the bits of a mask have a value}
     *
     * @throws IllegalArgumentException if the value has a bit outside of the mask, since it could never be met
     */
    public Condition masked(long mask, long value) {
        if ((value & ~mask) != 0) {
            throw new IllegalArgumentException(
                    "value: 0x" + Long.toHexString(value) + " has bits outside of the mask 0x" + Long.toHexString(mask)
                            + ", so the condition could never be met");
        }
        return new Condition(index, Comparison.MASKED_EQ, value, mask);
    }
}
