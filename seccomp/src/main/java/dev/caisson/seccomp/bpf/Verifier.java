// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.bpf;

import java.util.ArrayList;
import java.util.List;

/** The kernel's own checks of a seccomp filter (bpf_check_classic and seccomp_check_filter), made before it is asked. */
public final class Verifier {
    private static final int ALL_MEMORY = (1 << Opcode.MEMORY_WORDS) - 1;

    private Verifier() {}

    /** {@return what the kernel would refuse the program for, one line each; empty if it would take it} */
    public static List<String> check(List<Instruction> program) {
        var faults = new ArrayList<String>();
        if (program.isEmpty() || program.size() > Instruction.MOST) {
            faults.add("a program of " + program.size() + " instructions; the kernel takes 1 to " + Instruction.MOST);
            return faults;
        }
        for (int pc = 0; pc < program.size(); pc++) {
            String fault = check(program.get(pc), program.size() - pc - 1);
            if (!fault.isEmpty()) {
                faults.add(pc + ": " + fault);
            }
        }
        int last = program.size() - 1;
        if (!Opcode.isReturn(program.get(last).code())) {
            faults.add(last + ": the last instruction is not a return");
        }
        if (faults.isEmpty()) {
            checkMemory(program, faults);
        }
        return faults;
    }

    private static String check(Instruction i, int following) {
        int code = i.code();
        long k = Integer.toUnsignedLong(i.k());
        if (!Opcode.isAllowed(code)) {
            return "code 0x" + Integer.toHexString(code) + " is not allowed in a seccomp filter";
        }
        if (code == Opcode.LD_ABS && (k >= SeccompData.SIZE || k % Integer.BYTES != 0)) {
            return "a load at " + k + "; seccomp_data has words at 0 to 60";
        }
        if (code == Opcode.DIV && k == 0) {
            return "a division by zero";
        }
        if ((code == Opcode.LSH || code == Opcode.RSH) && k >= Integer.SIZE) {
            return "a shift by " + k;
        }
        if ((code == Opcode.LD_MEM || code == Opcode.LDX_MEM || code == Opcode.ST || code == Opcode.STX)
                && k >= Opcode.MEMORY_WORDS) {
            return "memory word " + k + "; there are " + Opcode.MEMORY_WORDS;
        }
        if (code == Opcode.JA && k >= following) {
            return "a jump over " + k + " instructions, of which " + following + " follow";
        }
        if (Opcode.isConditional(code) && (i.jt() >= following || i.jf() >= following)) {
            return "a jump over " + Math.max(i.jt(), i.jf()) + " instructions, of which " + following + " follow";
        }
        return "";
    }

    /** A memory word must have been stored on every way that leads to its load. */
    private static void checkMemory(List<Instruction> program, List<String> faults) {
        int[] stored = new int[program.size()];
        java.util.Arrays.fill(stored, ALL_MEMORY);
        int now = 0;
        for (int pc = 0; pc < program.size(); pc++) {
            var i = program.get(pc);
            now &= stored[pc];
            if (i.code() == Opcode.ST || i.code() == Opcode.STX) {
                now |= 1 << i.k();
            } else if (i.code() == Opcode.LD_MEM || i.code() == Opcode.LDX_MEM) {
                if ((now & 1 << i.k()) == 0) {
                    faults.add(pc + ": memory word " + i.k() + " may be read before it is written");
                }
            } else if (i.code() == Opcode.JA) {
                stored[pc + 1 + i.k()] &= now;
                now = ALL_MEMORY;
            } else if (Opcode.isConditional(i.code())) {
                stored[pc + 1 + i.jt()] &= now;
                stored[pc + 1 + i.jf()] &= now;
                now = ALL_MEMORY;
            }
        }
    }
}
