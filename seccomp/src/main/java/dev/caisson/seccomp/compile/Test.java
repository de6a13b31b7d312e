// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

/**
 * What is asked of one argument register, 64 bits unsigned.
 *
 * @param argument 0 to 5
 * @param mask the bits that count for {@link Kind#MASKED}, else all
 * @param negated whether the contrary must hold
 */
public record Test(int argument, Kind kind, long value, long mask, boolean negated) {
    /** How register and value are compared. */
    public enum Kind {
        EQUAL,
        GREATER,
        AT_LEAST,
        MASKED
    }

    boolean isMasked() {
        return kind == Kind.MASKED;
    }

    /** {@return whether a value of the register meets it} */
    boolean holds(long register) {
        int order = Long.compareUnsigned(register, value);
        boolean plain = switch (kind) {
            case EQUAL -> order == 0;
            case GREATER -> order > 0;
            case AT_LEAST -> order >= 0;
            case MASKED -> (register & mask) == value;
        };
        return plain != negated;
    }
}
