// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import java.util.Arrays;

/** A seccomp filter in the kernel's form: an array of {@code struct sock_filter}, 8 bytes each, in native byte order. */
public record FilterProgram(byte[] bytes) {
    private static final int INSTRUCTION = 8;
    private static final int MOST_INSTRUCTIONS = 4096;

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if it is no whole number of instructions, or more than the kernel takes
     */
    public FilterProgram {
        if (bytes.length == 0 || bytes.length % INSTRUCTION != 0) {
            throw new IllegalArgumentException("seccomp: a program of " + bytes.length
                    + " bytes is not a positive number of instructions of " + INSTRUCTION + " bytes");
        }
        if (bytes.length / INSTRUCTION > MOST_INSTRUCTIONS) {
            throw new IllegalArgumentException("seccomp: a program of " + bytes.length / INSTRUCTION
                    + " instructions; the kernel takes at most " + MOST_INSTRUCTIONS);
        }
        bytes = bytes.clone();
    }

    /** {@return the number of instructions} */
    public int length() {
        return bytes.length / INSTRUCTION;
    }

    @Override
    public byte[] bytes() {
        return bytes.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FilterProgram p && Arrays.equals(bytes, p.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return "FilterProgram[" + length() + " instructions]";
    }
}
