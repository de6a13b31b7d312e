// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.bpf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * One instruction of classic BPF: {@code struct sock_filter} (linux/filter.h).
 *
 * @param code one of {@link Opcode}, or a code the kernel refuses
 * @param jt how many instructions a conditional jump skips where its condition holds, 0 to 255
 * @param jf how many it skips where it does not
 * @param k the operand
 */
public record Instruction(int code, int jt, int jf, int k) {
    /** The size of an instruction in bytes. */
    public static final int SIZE = 8;

    /** The most instructions of one filter (BPF_MAXINSNS). */
    public static final int MOST = 4096;

    /** The farthest a conditional jump reaches. */
    public static final int FARTHEST = 255;

    public Instruction {
        if (code < 0 || code > 0xffff) {
            throw new IllegalArgumentException("code: " + code + " is not within 0 to 65535");
        }
        if (jt < 0 || jt > FARTHEST || jf < 0 || jf > FARTHEST) {
            throw new IllegalArgumentException("jt, jf: " + jt + ", " + jf + " are not within 0 to 255");
        }
    }

    static Instruction of(int code, int k) {
        return new Instruction(code, 0, 0, k);
    }

    /** {@return instructions as the kernel wants them: 8 bytes each, native byte order} */
    public static byte[] encode(List<Instruction> program) {
        var out = ByteBuffer.allocate(program.size() * SIZE).order(ByteOrder.nativeOrder());
        for (var i : program) {
            out.putShort((short) i.code).put((byte) i.jt).put((byte) i.jf).putInt(i.k);
        }
        return out.array();
    }

    /**
     * {@return the instructions in bytes that {@link #encode} wrote}
     *
     * @throws IllegalArgumentException if it is not a whole number of instructions
     */
    public static List<Instruction> decode(byte[] bytes) {
        if (bytes.length % SIZE != 0) {
            throw new IllegalArgumentException(
                    "a program of " + bytes.length + " bytes is not a whole number of instructions of 8 bytes");
        }
        var in = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        var program = new ArrayList<Instruction>(bytes.length / SIZE);
        while (in.hasRemaining()) {
            program.add(new Instruction(in.getShort() & 0xffff, in.get() & 0xff, in.get() & 0xff, in.getInt()));
        }
        return List.copyOf(program);
    }
}
