// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.bpf;

/**
 * What a filter sees of a system call: {@code struct seccomp_data} (linux/seccomp.h), 64 bytes, little-endian as on every
 * {@link dev.caisson.linux.Arch}.
 *
 * @param number the call's number, for x32 with bit 30 set
 * @param auditArch the AUDIT_ARCH_ token
 * @param instructionPointer where the call was made
 * @param arg0 the first argument register; a 64-bit program that calls as 32-bit ones do may set bits of the upper half
 */
public record SeccompData(
        int number,
        int auditArch,
        long instructionPointer,
        long arg0,
        long arg1,
        long arg2,
        long arg3,
        long arg4,
        long arg5) {
    public static final int SIZE = 64;
    public static final int NUMBER = 0;
    public static final int ARCH = 4;
    private static final int POINTER = 8;
    private static final int ARGS = 16;

    /** How many arguments a call has. */
    public static final int ARGUMENTS = 6;

    /** {@return a call with some arguments, the others zero} */
    public static SeccompData of(int auditArch, int number, long... args) {
        if (args.length > ARGUMENTS) {
            throw new IllegalArgumentException("args: " + args.length + " of them; a system call has at most six");
        }
        long[] all = java.util.Arrays.copyOf(args, ARGUMENTS);
        return new SeccompData(number, auditArch, 0, all[0], all[1], all[2], all[3], all[4], all[5]);
    }

    /** {@return an argument, 0 to 5} */
    public long argument(int index) {
        return switch (index) {
            case 0 -> arg0;
            case 1 -> arg1;
            case 2 -> arg2;
            case 3 -> arg3;
            case 4 -> arg4;
            case 5 -> arg5;
            default -> throw new IllegalArgumentException("argument " + index + " is not within 0 to 5");
        };
    }

    /** {@return the offset of the low half of an argument} */
    public static int low(int index) {
        return ARGS + index * Long.BYTES;
    }

    /** {@return the offset of the high half of an argument} */
    public static int high(int index) {
        return low(index) + Integer.BYTES;
    }

    /** {@return the word at an offset, a multiple of 4 below 64} */
    int word(int offset) {
        return switch (offset) {
            case NUMBER -> number;
            case ARCH -> auditArch;
            case POINTER -> (int) instructionPointer;
            case POINTER + Integer.BYTES -> (int) (instructionPointer >>> Integer.SIZE);
            default -> {
                long argument = argument((offset - ARGS) / Long.BYTES);
                yield (int) (offset % Long.BYTES == 0 ? argument : argument >>> Integer.SIZE);
            }
        };
    }

    /** {@return a name for the word at an offset, as {@code args[2].low}} */
    static String name(int offset) {
        return switch (offset) {
            case NUMBER -> "nr";
            case ARCH -> "arch";
            case POINTER -> "ip.low";
            case POINTER + Integer.BYTES -> "ip.high";
            default -> "args[" + (offset - ARGS) / Long.BYTES + "]." + (offset % Long.BYTES == 0 ? "low" : "high");
        };
    }
}
