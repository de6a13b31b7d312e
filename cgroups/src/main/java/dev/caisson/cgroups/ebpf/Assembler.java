// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.ebpf;

import java.util.ArrayList;
import java.util.List;

/**
 * Writes a program with labels instead of distances. Labels work as those of the assembler for classic BPF in the seccomp
 * module do; nothing else is the same: a jump here has one target, falls through else, and reaches 32,767 instructions, so
 * that its distance is filled in when the label is bound, where there whole detours are laid from the end to the beginning.
 *
 * <p>Not thread-safe; used once.
 */
public final class Assembler {
    private final List<Instruction> program = new ArrayList<>();
    private int unbound;

    /** A place in the program, to be bound exactly once, after the jumps to it. */
    public static final class Label {
        private final List<Integer> jumps = new ArrayList<>();
        private boolean bound;

        private Label() {}
    }

    /** {@return a new place, not yet bound} */
    public Label label() {
        unbound++;
        return new Label();
    }

    /** Loads 32 bits from memory that a register points to. */
    public Assembler loadWord(int destination, int source, int offset) {
        return add(Instruction.LOAD_WORD, destination, source, offset, 0);
    }

    /** Sets a register to a value. */
    public Assembler move(int destination, int value) {
        return add(Instruction.MOVE, destination, 0, 0, value);
    }

    /** Copies a register. */
    public Assembler moveRegister(int destination, int source) {
        return add(Instruction.MOVE_REGISTER, destination, source, 0, 0);
    }

    /** Takes bits away from a register. */
    public Assembler and(int destination, int mask) {
        return add(Instruction.AND, destination, 0, 0, mask);
    }

    /** Shifts a register, zeros coming in from the left. */
    public Assembler shiftRight(int destination, int bits) {
        return add(Instruction.SHIFT_RIGHT, destination, 0, 0, bits);
    }

    /** Jumps if a register is not a value. */
    public Assembler jumpUnless(int register, int value, Label target) {
        jumpTo(target);
        return add(Instruction.JUMP_UNLESS, register, 0, 0, value);
    }

    /** Jumps if a register is a value. */
    public Assembler jumpIf(int register, int value, Label target) {
        jumpTo(target);
        return add(Instruction.JUMP_IF, register, 0, 0, value);
    }

    /** Ends the program with a result. */
    public Assembler exit(int result) {
        return move(0, result).add(Instruction.EXIT, 0, 0, 0, 0);
    }

    private void jumpTo(Label target) {
        if (target.bound) {
            throw new IllegalStateException("a jump goes backward");
        }
        target.jumps.add(program.size());
    }

    /**
     * The label means the next instruction from here on.
     *
     * @throws IllegalStateException if it means another one already, or a jump to it is too far
     */
    public Assembler bind(Label label) {
        if (label.bound) {
            throw new IllegalStateException("a label is bound twice");
        }
        label.bound = true;
        unbound--;
        for (int at : label.jumps) {
            int distance = program.size() - at - 1;
            if (distance > Short.MAX_VALUE) {
                throw new IllegalStateException("a jump over " + distance + " instructions is too far");
            }
            var old = program.get(at);
            program.set(
                    at,
                    new Instruction(old.code(), old.destination(), old.source(), (short) distance, old.immediate()));
        }
        return this;
    }

    private Assembler add(int code, int destination, int source, int offset, int immediate) {
        program.add(new Instruction(code, destination, source, (short) offset, immediate));
        return this;
    }

    /**
     * {@return the program as the kernel takes it}
     *
     * @throws IllegalStateException if a label is not bound
     */
    public byte[] encode() {
        if (unbound > 0) {
            throw new IllegalStateException("a label is not bound");
        }
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
