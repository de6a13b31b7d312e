// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

/**
 * A comparison of one argument register, 64 bits unsigned. What a pointer points to cannot be compared: a filter sees
 * registers only. Made by {@link Arg}.
 *
 * @param argument 0 to 5
 * @param value what the argument, or its masked bits, are compared with
 * @param mask the bits that count; all of them unless the comparison is {@link Comparison#MASKED_EQ}
 */
public record Condition(int argument, Comparison comparison, long value, long mask) {
    /** How many arguments a call has. */
    static final int ARGUMENTS = 6;

    private static final long ALL = -1L;

    public Condition {
        if (argument < 0 || argument >= ARGUMENTS) {
            throw new IllegalArgumentException(
                    "argument: " + argument + " is not within 0 to 5, the arguments of a system call");
        }
        if (comparison != Comparison.MASKED_EQ && mask != ALL) {
            throw new IllegalArgumentException("mask: only MASKED_EQ has one");
        }
    }

    static Condition of(int argument, Comparison comparison, long value) {
        return new Condition(argument, comparison, value, ALL);
    }

    /** {@return whether an argument satisfies it} */
    public boolean holds(long argumentValue) {
        int order = Long.compareUnsigned(argumentValue, value);
        return switch (comparison) {
            case NE -> order != 0;
            case LT -> order < 0;
            case LE -> order <= 0;
            case EQ -> order == 0;
            case GE -> order >= 0;
            case GT -> order > 0;
            case MASKED_EQ -> (argumentValue & mask) == value;
        };
    }

    /** {@return as C writes it: {@code arg0 & 0x7e020000 == 0}} */
    @Override
    public String toString() {
        String argumentText = "arg" + argument;
        return comparison == Comparison.MASKED_EQ
                ? "(" + argumentText + " & 0x" + Long.toHexString(mask) + ") == " + number(value)
                : argumentText + " " + comparison.symbol() + " " + number(value);
    }

    private static String number(long value) {
        return value >= 0 && value < 1024 ? Long.toString(value) : "0x" + Long.toHexString(value);
    }

    /** How an argument is compared with a value, both as unsigned 64-bit numbers; the seven operators of the OCI specification. */
    public enum Comparison {
        NE("!=", "SCMP_CMP_NE"),
        LT("<", "SCMP_CMP_LT"),
        LE("<=", "SCMP_CMP_LE"),
        EQ("==", "SCMP_CMP_EQ"),
        GE(">=", "SCMP_CMP_GE"),
        GT(">", "SCMP_CMP_GT"),
        /** Equal in the bits of a mask. */
        MASKED_EQ("& mask ==", "SCMP_CMP_MASKED_EQ");

        private final String symbol;
        private final String ociName;

        Comparison(String symbol, String ociName) {
            this.symbol = symbol;
            this.ociName = ociName;
        }

        /** {@return the operator as C writes it} */
        public String symbol() {
            return symbol;
        }

        /** {@return the name in OCI and Docker profiles} */
        public String ociName() {
            return ociName;
        }
    }
}
