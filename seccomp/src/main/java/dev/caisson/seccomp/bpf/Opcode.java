// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.bpf;

/** The codes of classic BPF that a seccomp filter may use (linux/bpf_common.h, seccomp_check_filter in the kernel). */
public final class Opcode {
    public static final int LD_IMM = 0x00;
    public static final int LD_ABS = 0x20;
    public static final int LD_MEM = 0x60;
    public static final int LD_LEN = 0x80;
    public static final int LDX_IMM = 0x01;
    public static final int LDX_MEM = 0x61;
    public static final int LDX_LEN = 0x81;
    public static final int ST = 0x02;
    public static final int STX = 0x03;
    public static final int ADD = 0x04;
    public static final int SUB = 0x14;
    public static final int MUL = 0x24;
    public static final int DIV = 0x34;
    public static final int OR = 0x44;
    public static final int AND = 0x54;
    public static final int LSH = 0x64;
    public static final int RSH = 0x74;
    public static final int NEG = 0x84;
    public static final int XOR = 0xa4;
    public static final int JA = 0x05;
    public static final int JEQ = 0x15;
    public static final int JGT = 0x25;
    public static final int JGE = 0x35;
    public static final int JSET = 0x45;
    public static final int RET = 0x06;
    public static final int RET_A = 0x16;
    public static final int TAX = 0x07;
    public static final int TXA = 0x87;

    /** Added to an arithmetic or jump code: the operand is the index register instead of k. */
    public static final int X = 0x08;

    /** The words of scratch memory that ST, STX, LD_MEM and LDX_MEM address. */
    public static final int MEMORY_WORDS = 16;

    private static final int CLASS = 0x07;
    private static final int ALU = 0x04;
    private static final int JMP = 0x05;

    private Opcode() {}

    /** {@return whether the kernel takes this code in a seccomp filter} */
    static boolean isAllowed(int code) {
        return switch (code) {
            case LD_IMM, LD_ABS, LD_MEM, LD_LEN, LDX_IMM, LDX_MEM, LDX_LEN, ST, STX, JA, NEG, RET, RET_A, TAX, TXA ->
                true;
            default ->
                switch (code & ~X) {
                    case ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, XOR, JEQ, JGT, JGE, JSET -> true;
                    default -> false;
                };
        };
    }

    /** {@return whether a code is a jump on a condition} */
    static boolean isConditional(int code) {
        return (code & CLASS) == JMP && code != JA;
    }

    /** {@return whether a code is arithmetic} */
    static boolean isArithmetic(int code) {
        return (code & CLASS) == ALU;
    }

    /** {@return whether a code ends the program} */
    static boolean isReturn(int code) {
        return code == RET || code == RET_A;
    }

    /** {@return the mnemonic of bpf_asm, without operands} */
    static String mnemonic(int code) {
        return switch (code) {
            case LD_IMM, LD_ABS, LD_MEM, LD_LEN -> "ld";
            case LDX_IMM, LDX_MEM, LDX_LEN -> "ldx";
            case ST -> "st";
            case STX -> "stx";
            case JA -> "ja";
            case NEG -> "neg";
            case RET, RET_A -> "ret";
            case TAX -> "tax";
            case TXA -> "txa";
            default ->
                switch (code & ~X) {
                    case ADD -> "add";
                    case SUB -> "sub";
                    case MUL -> "mul";
                    case DIV -> "div";
                    case OR -> "or";
                    case AND -> "and";
                    case LSH -> "lsh";
                    case RSH -> "rsh";
                    case XOR -> "xor";
                    case JEQ -> "jeq";
                    case JGT -> "jgt";
                    case JGE -> "jge";
                    case JSET -> "jset";
                    default -> "code 0x" + Integer.toHexString(code);
                };
        };
    }
}
