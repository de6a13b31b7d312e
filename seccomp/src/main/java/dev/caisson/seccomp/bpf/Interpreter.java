// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.bpf;

import java.util.List;

/** Runs a filter program as the kernel does, all instructions that {@link Verifier} lets through. */
public final class Interpreter {
    private Interpreter() {}

    /**
     * What a run came to.
     *
     * @param value the word that was returned: action and data
     * @param executed how many instructions it took, the return included
     */
    public record Result(int value, int executed) {}

    /**
     * {@return what the program says of a call}
     *
     * @param program one that {@link Verifier#check} finds nothing wrong with
     */
    public static Result run(List<Instruction> program, SeccompData data) {
        int[] memory = new int[Opcode.MEMORY_WORDS];
        int a = 0;
        int x = 0;
        int pc = 0;
        for (int executed = 1; ; executed++) {
            var i = program.get(pc++);
            int k = i.k();
            switch (i.code()) {
                case Opcode.LD_ABS -> a = data.word(k);
                case Opcode.LD_IMM -> a = k;
                case Opcode.LD_MEM -> a = memory[k];
                case Opcode.LD_LEN -> a = SeccompData.SIZE;
                case Opcode.LDX_IMM -> x = k;
                case Opcode.LDX_MEM -> x = memory[k];
                case Opcode.LDX_LEN -> x = SeccompData.SIZE;
                case Opcode.ST -> memory[k] = a;
                case Opcode.STX -> memory[k] = x;
                case Opcode.TAX -> x = a;
                case Opcode.TXA -> a = x;
                case Opcode.NEG -> a = -a;
                case Opcode.JA -> pc += k;
                case Opcode.RET -> {
                    return new Result(k, executed);
                }
                case Opcode.RET_A -> {
                    return new Result(a, executed);
                }
                default -> {
                    int operand = (i.code() & Opcode.X) != 0 ? x : k;
                    if (Opcode.isConditional(i.code())) {
                        pc += holds(i.code() & ~Opcode.X, a, operand) ? i.jt() : i.jf();
                    } else if (i.code() == (Opcode.DIV | Opcode.X) && x == 0) {
                        return new Result(0, executed); // As the kernel: division by a zero register ends with 0.
                    } else {
                        a = compute(i.code() & ~Opcode.X, a, operand);
                    }
                }
            }
        }
    }

    private static boolean holds(int code, int a, int operand) {
        return switch (code) {
            case Opcode.JEQ -> a == operand;
            case Opcode.JGT -> Integer.compareUnsigned(a, operand) > 0;
            case Opcode.JGE -> Integer.compareUnsigned(a, operand) >= 0;
            case Opcode.JSET -> (a & operand) != 0;
            default -> throw new IllegalArgumentException("code 0x" + Integer.toHexString(code));
        };
    }

    private static int compute(int code, int a, int operand) {
        return switch (code) {
            case Opcode.ADD -> a + operand;
            case Opcode.SUB -> a - operand;
            case Opcode.MUL -> a * operand;
            case Opcode.DIV -> Integer.divideUnsigned(a, operand);
            case Opcode.OR -> a | operand;
            case Opcode.AND -> a & operand;
            case Opcode.XOR -> a ^ operand;
            case Opcode.LSH -> a << operand;
            case Opcode.RSH -> a >>> operand;
            default -> throw new IllegalArgumentException("code 0x" + Integer.toHexString(code));
        };
    }
}
