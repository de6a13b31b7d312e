// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.ebpf;

import java.util.ArrayList;
import java.util.List;

/** Collects instructions; jumps go forward only, to where {@link #land} is called. Not thread-safe. */
public final class Assembler {
    private final List<Instruction> program = new ArrayList<>();

    /** Jumps that have not landed yet. */
    public static final class Jumps {
        private final List<Integer> from = new ArrayList<>();
    }

    public Assembler loadWord(int destination, int source, int offset) {
        return add(Instruction.LOAD_WORD, destination, source, offset, 0);
    }

    public Assembler move(int destination, int value) {
        return add(Instruction.MOVE, destination, 0, 0, value);
    }

    public Assembler moveRegister(int destination, int source) {
        return add(Instruction.MOVE_REGISTER, destination, source, 0, 0);
    }

    public Assembler and(int destination, int mask) {
        return add(Instruction.AND, destination, 0, 0, mask);
    }

    public Assembler shiftRight(int destination, int bits) {
        return add(Instruction.SHIFT_RIGHT, destination, 0, 0, bits);
    }

    /** Jumps if a register is not a value. */
    public Assembler jumpUnless(int register, int value, Jumps jumps) {
        jumps.from.add(program.size());
        return add(Instruction.JUMP_UNLESS, register, 0, 0, value);
    }

    /** Jumps if a register is a value. */
    public Assembler jumpIf(int register, int value, Jumps jumps) {
        jumps.from.add(program.size());
        return add(Instruction.JUMP_IF, register, 0, 0, value);
    }

    /** Ends the program with a result. */
    public Assembler exit(int result) {
        return move(0, result).add(Instruction.EXIT, 0, 0, 0, 0);
    }

    /** Has jumps land at the next instruction. */
    public Assembler land(Jumps jumps) {
        for (int at : jumps.from) {
            int distance = program.size() - at - 1;
            if (distance > Short.MAX_VALUE) {
                throw new IllegalStateException("a jump over " + distance + " instructions is too far");
            }
            var old = program.get(at);
            program.set(
                    at,
                    new Instruction(old.code(), old.destination(), old.source(), (short) distance, old.immediate()));
        }
        jumps.from.clear();
        return this;
    }

    private Assembler add(int code, int destination, int source, int offset, int immediate) {
        program.add(new Instruction(code, destination, source, (short) offset, immediate));
        return this;
    }

    /** {@return the program as the kernel takes it} */
    public byte[] encode() {
        return Instruction.encode(program);
    }

    /** {@return one instruction a line} */
    public static String disassemble(byte[] program) {
        var out = new StringBuilder();
        int at = 0;
        for (var instruction : Instruction.decode(program)) {
            out.append(at++).append(": ").append(instruction).append('\n');
        }
        return out.toString();
    }
}
