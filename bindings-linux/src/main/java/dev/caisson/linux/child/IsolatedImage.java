// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.Arch;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/**
 * The stub and a table as a static ELF executable in a sealed memfd.
 *
 * <pre>
 *   file        address
 *   0x0000      0x400000   ELF header, program headers      } read, execute
 *   0x0100      0x400100   the stub                         }
 *   0x1000      0x401000   the table                          read, write
 * </pre>
 *
 * Where pages may have 64 KB, as on 64-bit Arm, the table's address is 0x411000, so that no page is shared.
 */
final class IsolatedImage {
    private static final long TEXT = 0x400000;
    private static final long LARGEST_PAGE = 0x10000;
    private static final int STUB_OFFSET = 0x100;
    private static final int TABLE_OFFSET = 0x1000;
    private static final int ELF_HEADER = 64;
    private static final int PROGRAM_HEADER = 56;
    private static final int PT_LOAD = 1;
    private static final int PT_GNU_STACK = 0x6474e551;
    private static final int READ_EXECUTE = 5;
    private static final int READ_WRITE = 6;

    private IsolatedImage() {}

    /**
     * {@return a sealed memfd that execveat(2) can run}
     *
     * @param report the number of the descriptor the image reports to
     */
    static Fd create(Arch arch, byte[] stub, EncodedProgram program, Map<Arg.Slot, Integer> descriptors, int report)
            throws LinuxException {
        return Files.sealedMemory("caisson", bytes(arch, stub, program, descriptors, report), true);
    }

    static byte[] bytes(
            Arch arch, byte[] stub, EncodedProgram program, Map<Arg.Slot, Integer> descriptors, int report) {
        if (STUB_OFFSET + stub.length > TABLE_OFFSET) {
            throw new IllegalStateException("the stub outgrew its page");
        }
        byte[] image = new byte[TABLE_OFFSET + program.size()];
        var out = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        out.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
        out.putShort((short) 2).putShort((short) machine(arch)).putInt(1);
        out.putLong(TEXT + STUB_OFFSET + Stub.START)
                .putLong(ELF_HEADER)
                .putLong(0)
                .putInt(0);
        out.putShort((short) ELF_HEADER)
                .putShort((short) PROGRAM_HEADER)
                .putShort((short) 3)
                .putShort((short) 0);
        out.putInt(0);
        programHeader(out, PT_LOAD, READ_EXECUTE, 0, TEXT, STUB_OFFSET + stub.length);
        programHeader(out, PT_LOAD, READ_WRITE, TABLE_OFFSET, tableAddress(arch), program.size());
        programHeader(out, PT_GNU_STACK, READ_WRITE, 0, 0, 0);
        out.put(STUB_OFFSET, stub);
        var table = MemorySegment.ofArray(image).asSlice(TABLE_OFFSET);
        program.place(table, tableAddress(arch), descriptors);
        table.set(ValueLayout.JAVA_INT_UNALIGNED, TableLayout.REPORT_FD, report);
        return image;
    }

    /** {@return the address that the stub's source calls IMAGE_BASE} */
    private static long tableAddress(Arch arch) {
        return switch (arch) {
            case X86_64, X32, X86 -> TEXT + TABLE_OFFSET;
            case AARCH64 -> TEXT + LARGEST_PAGE + TABLE_OFFSET;
        };
    }

    private static int machine(Arch arch) {
        return switch (arch) {
            case X86_64, X32 -> 62;
            case X86 -> 3;
            case AARCH64 -> 183;
        };
    }

    private static void programHeader(ByteBuffer out, int type, int flags, long offset, long address, long size) {
        out.putInt(type).putInt(flags).putLong(offset).putLong(address).putLong(address);
        out.putLong(size).putLong(size).putLong(0x1000);
    }
}
