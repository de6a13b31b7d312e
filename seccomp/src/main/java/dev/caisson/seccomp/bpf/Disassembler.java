// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.bpf;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Prints a program one instruction a line, with absolute targets, and beside each test what is tested: it follows which
 * word the accumulator holds and which architecture is certain.
 */
public final class Disassembler {
    private static final int NOT_REACHED = -2;
    private static final int UNKNOWN = -1;

    private final List<Instruction> program;
    private final IntFunction<String> actions;
    /** Offset of the word that the accumulator holds before an instruction, where all ways to it agree. */
    private final int[] holds;
    /** Architecture token that is certain before an instruction; 0 where none is. */
    private final int[] archs;

    private Disassembler(List<Instruction> program, IntFunction<String> actions) {
        this.program = program;
        this.actions = actions;
        this.holds = new int[program.size() + 1];
        this.archs = new int[program.size() + 1];
        Arrays.fill(holds, NOT_REACHED);
    }

    /**
     * {@return the listing}
     *
     * @param actions how to print a returned word
     */
    public static String listing(List<Instruction> program, IntFunction<String> actions) {
        return new Disassembler(program, actions).print();
    }

    private String print() {
        reach(0, UNKNOWN, 0);
        var out = new StringBuilder();
        for (int pc = 0; pc < program.size(); pc++) {
            var i = program.get(pc);
            follow(pc, i);
            String comment = comment(pc, i);
            String text = "%5d: %-4s %s".formatted(pc, Opcode.mnemonic(i.code()), operands(pc, i));
            out.append(comment.isEmpty() ? text.stripTrailing() : "%-46s ; %s".formatted(text, comment))
                    .append('\n');
        }
        return out.toString();
    }

    private void reach(int pc, int word, int arch) {
        if (pc < holds.length) {
            boolean first = holds[pc] == NOT_REACHED;
            holds[pc] = first || holds[pc] == word ? word : UNKNOWN;
            archs[pc] = first || archs[pc] == arch ? arch : 0;
        }
    }

    private void follow(int pc, Instruction i) {
        int word = holds[pc] == NOT_REACHED ? UNKNOWN : holds[pc];
        int arch = archs[pc];
        if (Opcode.isReturn(i.code())) {
            return;
        }
        if (i.code() == Opcode.JA) {
            reach(pc + 1 + i.k(), word, arch);
        } else if (Opcode.isConditional(i.code())) {
            boolean decides = word == SeccompData.ARCH && i.code() == Opcode.JEQ;
            reach(pc + 1 + i.jt(), word, decides ? i.k() : arch);
            reach(pc + 1 + i.jf(), word, arch);
        } else if (i.code() == Opcode.LD_ABS) {
            reach(pc + 1, i.k(), arch);
        } else if (i.code() == Opcode.AND && word == SeccompData.NUMBER) {
            reach(pc + 1, word, arch); // x32 without its bit: the numbers keep their meaning for a reader.
        } else {
            reach(pc + 1, UNKNOWN, arch);
        }
    }

    private String operands(int pc, Instruction i) {
        String k = "#0x" + Integer.toHexString(i.k());
        return switch (i.code()) {
            case Opcode.LD_ABS -> "[" + i.k() + "]";
            case Opcode.LD_MEM, Opcode.LDX_MEM, Opcode.ST, Opcode.STX -> "M[" + i.k() + "]";
            case Opcode.LD_LEN, Opcode.LDX_LEN -> "#len";
            case Opcode.RET_A -> "a";
            case Opcode.TAX, Opcode.TXA, Opcode.NEG -> "";
            case Opcode.JA -> Integer.toString(pc + 1 + i.k());
            default -> {
                String operand = (i.code() & Opcode.X) != 0 && i.code() != Opcode.RET ? "x" : k;
                yield Opcode.isConditional(i.code())
                        ? operand + ", " + (pc + 1 + i.jt()) + ", " + (pc + 1 + i.jf())
                        : operand;
            }
        };
    }

    private String comment(int pc, Instruction i) {
        if (i.code() == Opcode.LD_ABS) {
            return SeccompData.name(i.k());
        }
        if (i.code() == Opcode.RET) {
            return actions.apply(i.k());
        }
        if (!Opcode.isConditional(i.code()) || (i.code() & Opcode.X) != 0) {
            return "";
        }
        if (holds[pc] == SeccompData.ARCH) {
            return Arch.of(i.k(), 0).map(Arch::toString).orElse("");
        }
        if (holds[pc] == SeccompData.NUMBER) {
            return Arch.of(archs[pc], i.k())
                    .flatMap(arch -> Syscall.of(arch, i.k()))
                    .map(Syscall::kernelName)
                    .orElse("");
        }
        return holds[pc] >= 0 ? SeccompData.name(holds[pc]) : "";
    }
}
