// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.ebpf;

/** Runs encoded programs as the kernel does, and refuses what the kernel's checker would refuse of them. */
public final class Simulator {
    private static final int REGISTERS = 11;

    private Simulator() {}

    /**
     * {@return what a program returns}
     *
     * @param context the words that register 1 points to at the beginning
     * @throws IllegalStateException if it reads what was never written, leaves the context, or runs past its end
     */
    public static long run(byte[] program, int... context) {
        var instructions = Instruction.decode(program);
        long[] registers = new long[REGISTERS];
        boolean[] written = new boolean[REGISTERS];
        written[1] = true;
        for (int at = 0; at < instructions.size(); at++) {
            var i = instructions.get(at);
            boolean readsDestination = i.code() == Instruction.AND || i.code() == Instruction.SHIFT_RIGHT || isJump(i);
            require(!readsDestination || written[i.destination()], "register " + i.destination() + " is not set", at);
            switch (i.code()) {
                case Instruction.LOAD_WORD -> {
                    require(i.source() == 1 && written[1], "not a load from the context", at);
                    require(i.offset() % 4 == 0 && i.offset() / 4 < context.length, "outside of the context", at);
                    registers[i.destination()] = Integer.toUnsignedLong(context[i.offset() / 4]);
                }
                case Instruction.MOVE -> registers[i.destination()] = i.immediate();
                case Instruction.MOVE_REGISTER -> {
                    require(written[i.source()], "register " + i.source() + " is not set", at);
                    registers[i.destination()] = registers[i.source()];
                }
                case Instruction.AND -> registers[i.destination()] &= i.immediate();
                case Instruction.SHIFT_RIGHT -> registers[i.destination()] >>>= i.immediate();
                case Instruction.JUMP_UNLESS, Instruction.JUMP_IF -> {
                    require(i.offset() >= 0, "a jump back", at);
                    boolean equal = registers[i.destination()] == i.immediate();
                    if (equal == (i.code() == Instruction.JUMP_IF)) {
                        at += i.offset();
                    }
                }
                case Instruction.EXIT -> {
                    require(written[0], "no result", at);
                    return registers[0];
                }
                default -> throw new IllegalStateException(at + ": unknown " + i);
            }
            if (!isJump(i)) {
                written[i.destination()] = true;
            }
        }
        throw new IllegalStateException("the program runs past its end");
    }

    private static boolean isJump(Instruction i) {
        return i.code() == Instruction.JUMP_UNLESS || i.code() == Instruction.JUMP_IF;
    }

    private static void require(boolean fine, String otherwise, int at) {
        if (!fine) {
            throw new IllegalStateException(at + ": " + otherwise);
        }
    }
}
