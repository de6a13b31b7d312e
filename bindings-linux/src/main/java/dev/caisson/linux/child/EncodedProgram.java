// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A program in the stub's form, still without parameters, so that one encoding serves many launches. Immutable and
 * thread-safe.
 */
public final class EncodedProgram {
    private final SyscallProgram program;
    private final Arch arch;
    private final byte[] table;
    private final int[] pointers;
    private final Map<Arg.Slot, List<Integer>> parameters;
    private final Set<Integer> claimed;

    /**
     * @param pointers offsets of the 64-bit words that hold an address in a table at {@link TableLayout#HOME}
     * @param parameters offsets of the 64-bit words that take each parameter
     */
    EncodedProgram(
            SyscallProgram program, Arch arch, byte[] table, int[] pointers, Map<Arg.Slot, List<Integer>> parameters) {
        this.program = program;
        this.arch = arch;
        this.table = table;
        this.pointers = pointers;
        this.parameters = Map.copyOf(parameters);
        this.claimed = claimed(program);
    }

    public SyscallProgram program() {
        return program;
    }

    /** {@return whose system call numbers it holds} */
    public Arch arch() {
        return arch;
    }

    /** {@return whether a launch has to give a parameter a value} */
    boolean takes(Arg.Slot parameter) {
        return parameters.containsKey(parameter);
    }

    /** {@return the numbers that the program itself gives to descriptors, and at which none may arrive} */
    Set<Integer> claimed() {
        return claimed;
    }

    private static Set<Integer> claimed(SyscallProgram program) {
        var numbers = new HashSet<Integer>();
        for (var step : program.steps()) {
            if (step.operation() instanceof Step.Invoke(var call, var _)
                    && call.syscall() == Syscall.DUP3
                    && call.args().get(1) instanceof Arg.Value number) {
                numbers.add((int) number.value());
            }
        }
        return Set.copyOf(numbers);
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
    void place(MemorySegment target, long base, Map<Arg.Slot, Integer> values) {
        MemorySegment.copy(table, 0, target, ValueLayout.JAVA_BYTE, 0, table.length);
        if (base != TableLayout.HOME) {
            for (int offset : pointers) {
                long there = target.get(ValueLayout.JAVA_LONG_UNALIGNED, offset);
                target.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, there - TableLayout.HOME + base);
            }
        }
        for (var parameter : parameters.entrySet()) {
            Integer value = values.get(parameter.getKey());
            if (value == null) {
                throw new IllegalArgumentException(
                        "the program's parameter " + parameter.getKey().text() + " has no value");
            }
            for (int offset : parameter.getValue()) {
                target.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, (long) value);
            }
        }
    }

    /** {@return whether the word at an offset of the table is one that becomes an address} */
    boolean isPointer(int offset) {
        return Arrays.stream(pointers).anyMatch(p -> p == offset);
    }

    /** {@return the parameter whose value the word at an offset of the table takes} */
    Optional<Arg.Slot> parameterAt(int offset) {
        return parameters.entrySet().stream()
                .filter(e -> e.getValue().contains(offset))
                .map(Map.Entry::getKey)
                .findFirst();
    }

    /** {@return the table as it is encoded: for {@link TableLayout#HOME}, and with parameters 0} */
    ByteBuffer bytes() {
        return ByteBuffer.wrap(table).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** {@return a readable dump, one line a step} */
    @Override
    public String toString() {
        return Listing.of(this);
    }
}
