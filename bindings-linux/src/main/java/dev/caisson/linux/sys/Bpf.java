// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Programs for the kernel's eBPF machine (bpf(2)), and attaching them to a cgroup. */
public final class Bpf {
    /** BPF_PROG_TYPE_CGROUP_DEVICE (Linux 4.15). */
    public static final int PROGRAM_CGROUP_DEVICE = 15;
    /** BPF_CGROUP_DEVICE. */
    public static final int ATTACH_CGROUP_DEVICE = 6;

    private static final int PROG_LOAD = 5;
    private static final int PROG_ATTACH = 8;
    private static final int ALLOW_MULTI = 2;
    private static final int REPLACE = 4;
    private static final int INSTRUCTION_SIZE = 8;
    private static final int LOG_SIZE = 16 << 10;

    // union bpf_attr of BPF_PROG_LOAD, up to expected_attach_type.
    private static final long ATTR_SIZE = 72;
    private static final long LICENSE = 16;
    private static final long LOG_LEVEL = 24;
    private static final long LOG_BUFFER = 32;
    private static final long NAME = 48;
    private static final long EXPECTED_ATTACH_TYPE = 68;
    private static final int NAME_SIZE = 16;

    private Bpf() {}

    /**
     * Has the kernel check a program and keep it.
     *
     * @param instructions encoded, 8 bytes each
     * @param name letters, digits, dots and underscores, at most 15
     * @throws LinuxException with the last line of the checker's log, if it refuses the program
     */
    public static Fd load(int programType, int attachType, byte[] instructions, String name) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var code = arena.allocate(instructions.length, Long.BYTES);
            MemorySegment.copy(instructions, 0, code, JAVA_BYTE, 0, instructions.length);
            var attr = arena.allocate(ATTR_SIZE, Long.BYTES);
            attr.set(JAVA_INT, 0, programType);
            attr.set(JAVA_INT, 4, instructions.length / INSTRUCTION_SIZE);
            attr.set(JAVA_LONG, 8, code.address());
            attr.set(JAVA_LONG, LICENSE, arena.allocateFrom("Apache-2.0").address());
            byte[] text = name.getBytes(StandardCharsets.US_ASCII);
            MemorySegment.copy(text, 0, attr, JAVA_BYTE, NAME, Math.min(text.length, NAME_SIZE - 1));
            attr.set(JAVA_INT, EXPECTED_ATTACH_TYPE, attachType);
            long result = Native.call(Syscall.BPF, PROG_LOAD, attr.address(), ATTR_SIZE);
            if (!Native.failed(result)) {
                return Fd.owning(result);
            }
            throw new LinuxException(
                    Native.errno(result),
                    "bpf(BPF_PROG_LOAD, {" + name + ", " + instructions.length / INSTRUCTION_SIZE + " instructions})"
                            + log(arena, attr));
        }
    }

    /** Loads once more, with a log: making one costs much, and a program that is right needs none. */
    private static String log(Arena arena, MemorySegment attr) {
        var buffer = arena.allocate(LOG_SIZE);
        attr.set(JAVA_INT, LOG_LEVEL, 1);
        attr.set(JAVA_INT, LOG_LEVEL + 4, LOG_SIZE);
        attr.set(JAVA_LONG, LOG_BUFFER, buffer.address());
        long result = Native.call(Syscall.BPF, PROG_LOAD, attr.address(), ATTR_SIZE);
        if (!Native.failed(result)) {
            Fd.owning(result).close();
        }
        String log = buffer.getString(0).strip();
        return log.isEmpty() ? "" : " [" + log.replace('\n', ';') + "]";
    }

    /**
     * Attaches a program to a cgroup of version 2, beside those of other people; it stays until the cgroup is gone.
     *
     * @param replaced the one whose place it takes in one step (Linux 5.6)
     */
    public static void attach(Fd cgroup, Fd program, int attachType, @Nullable Fd replaced) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            int size = replaced == null ? 16 : 20;
            var attr = arena.allocate(24, Long.BYTES);
            attr.set(JAVA_INT, 0, cgroup.number());
            attr.set(JAVA_INT, 4, program.number());
            attr.set(JAVA_INT, 8, attachType);
            attr.set(JAVA_INT, 12, replaced == null ? ALLOW_MULTI : ALLOW_MULTI | REPLACE);
            attr.set(JAVA_INT, 16, replaced == null ? 0 : replaced.number());
            long result = Native.call(Syscall.BPF, PROG_ATTACH, attr.address(), size);
            if (Native.failed(result)) {
                throw new LinuxException(
                        Native.errno(result), "bpf(BPF_PROG_ATTACH, {cgroup " + cgroup + ", program " + program + "})");
            }
        }
    }
}
