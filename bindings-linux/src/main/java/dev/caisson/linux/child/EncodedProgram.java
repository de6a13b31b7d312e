// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;

/**
 * A program in the stub's form, still without an address and without parameters, so that one encoding serves many
 * launches. Immutable and thread-safe.
 */
public final class EncodedProgram {
    private final SyscallProgram program;
    private final byte[] table;
    private final int[] pointers;
    private final Map<String, List<Integer>> parameters;

    /**
     * @param pointers offsets of the 64-bit words that hold an offset into the table and must become addresses
     * @param parameters offsets of the 64-bit words that take each parameter
     */
    EncodedProgram(SyscallProgram program, byte[] table, int[] pointers, Map<String, List<Integer>> parameters) {
        this.program = program;
        this.table = table;
        this.pointers = pointers;
        this.parameters = Map.copyOf(parameters);
    }

    public SyscallProgram program() {
        return program;
    }

    /** {@return the bytes of memory the table takes} */
    public int size() {
        return table.length;
    }

    /**
     * Writes the table for use at an address.
     *
     * @param target at least {@link #size} bytes
     * @param base the address at which the child will see {@code target}
     * @throws IllegalArgumentException if a parameter of the program has no value
     */
    void place(MemorySegment target, long base, Map<String, Integer> values) {
        MemorySegment.copy(table, 0, target, ValueLayout.JAVA_BYTE, 0, table.length);
        for (int offset : pointers) {
            long relative = target.get(ValueLayout.JAVA_LONG_UNALIGNED, offset);
            target.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, base + relative);
        }
        parameters.forEach((name, offsets) -> {
            Integer value = values.get(name);
            if (value == null) {
                throw new IllegalArgumentException("the program's parameter <" + name + "> has no value");
            }
            for (int offset : offsets) {
                target.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, (long) value);
            }
        });
    }
}
