// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.ebpf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * One eBPF instruction (Documentation/bpf/standardization/instruction-set.rst), in memory:
 *
 * <pre>
 *   byte 0     1              2..3     4..7
 *   code  |  src<<4 | dst  |  offset |  immediate     (little-endian machines)
 * </pre>
 *
 * @param code one of the constants
 * @param destination a register, 0 to 10
 * @param source a register, 0 to 10
 * @param offset of a jump: how many instructions to skip; of a load: bytes from the source
 */
record Instruction(int code, int destination, int source, short offset, int immediate) {
    /** destination = *(u32 *)(source + offset) */
    static final int LOAD_WORD = 0x61;
    /** destination = immediate */
    static final int MOVE = 0xb7;
    /** destination = source */
    static final int MOVE_REGISTER = 0xbf;
    /** destination &= immediate */
    static final int AND = 0x57;
    /** destination >>>= immediate */
    static final int SHIFT_RIGHT = 0x77;
    /** if (destination != immediate) skip */
    static final int JUMP_UNLESS = 0x55;
    /** if (destination == immediate) skip */
    static final int JUMP_IF = 0x15;
    /** return r0 */
    static final int EXIT = 0x95;

    static final int SIZE = 8;

    private static ByteBuffer buffer(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    }

    static byte[] encode(List<Instruction> program) {
        byte[] bytes = new byte[program.size() * SIZE];
        var out = buffer(bytes);
        boolean little = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
        for (var i : program) {
            out.put((byte) i.code);
            out.put((byte) (little ? i.source << 4 | i.destination : i.destination << 4 | i.source));
            out.putShort(i.offset).putInt(i.immediate);
        }
        return bytes;
    }

    static List<Instruction> decode(byte[] bytes) {
        var program = new ArrayList<Instruction>();
        var in = buffer(bytes);
        boolean little = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
        while (in.hasRemaining()) {
            int code = Byte.toUnsignedInt(in.get());
            int registers = Byte.toUnsignedInt(in.get());
            int low = registers & 0xf;
            int high = registers >> 4;
            program.add(new Instruction(code, little ? low : high, little ? high : low, in.getShort(), in.getInt()));
        }
        return program;
    }

    /** {@return as the kernel's checker prints it} */
    @Override
    public String toString() {
        return switch (code) {
            case LOAD_WORD -> "r" + destination + " = *(u32 *)(r" + source + " +" + offset + ")";
            case MOVE -> "r" + destination + " = " + immediate;
            case MOVE_REGISTER -> "r" + destination + " = r" + source;
            case AND -> "r" + destination + " &= " + immediate;
            case SHIFT_RIGHT -> "r" + destination + " >>= " + immediate;
            case JUMP_UNLESS -> "if r" + destination + " != " + immediate + " goto pc+" + offset;
            case JUMP_IF -> "if r" + destination + " == " + immediate + " goto pc+" + offset;
            case EXIT -> "exit";
            default -> "code 0x" + Integer.toHexString(code);
        };
    }
}
