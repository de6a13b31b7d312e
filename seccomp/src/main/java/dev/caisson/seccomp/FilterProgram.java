// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.bpf.Disassembler;
import dev.caisson.seccomp.bpf.Instruction;
import dev.caisson.seccomp.bpf.Interpreter;
import dev.caisson.seccomp.bpf.SeccompData;
import dev.caisson.seccomp.bpf.Verifier;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * A seccomp filter in the kernel's form: an array of {@code struct sock_filter}, 8 bytes each, in native byte order, and the
 * flags to install it with.
 */
public record FilterProgram(byte[] bytes, Set<Filter.Flag> flags) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if it is not a whole number of instructions, or more than the kernel takes
     */
    public FilterProgram {
        if (bytes.length == 0 || bytes.length % Instruction.SIZE != 0) {
            throw new IllegalArgumentException("seccomp: a program of " + bytes.length
                    + " bytes is not a positive number of instructions of " + Instruction.SIZE + " bytes");
        }
        if (bytes.length / Instruction.SIZE > Instruction.MOST) {
            throw new IllegalArgumentException("seccomp: a program of " + bytes.length / Instruction.SIZE
                    + " instructions; the kernel takes at most " + Instruction.MOST);
        }
        bytes = bytes.clone();
        flags = Collections.unmodifiableSet(
                flags.isEmpty() ? EnumSet.noneOf(Filter.Flag.class) : EnumSet.copyOf(flags));
    }

    /** A program without flags. */
    public FilterProgram(byte[] bytes) {
        this(bytes, Set.of());
    }

    /**
     * {@return the program of {@link Seccomp#standard(Set)}} For Docker's default capabilities and for none, it was compiled
     * when Caisson was built, so that it is there at once; for others it is compiled now.
     *
     * @param capabilities names of capabilities(7), as {@code CAP_SYS_ADMIN}
     */
    public static FilterProgram standard(Set<String> capabilities) {
        return Precompiled.of(capabilities)
                .orElseGet(() -> Seccomp.standard(capabilities).compile().program());
    }

    /** {@return the number of instructions} */
    public int length() {
        return bytes.length / Instruction.SIZE;
    }

    @Override
    public byte[] bytes() {
        return bytes.clone();
    }

    /** {@return the instructions} */
    List<Instruction> instructions() {
        return Instruction.decode(bytes);
    }

    /** {@return what the kernel would refuse it for; empty if it would take it} */
    public List<String> faults() {
        return Verifier.check(instructions());
    }

    /** {@return the program as text, one instruction a line, with what each test is about} */
    public String listing() {
        return Disassembler.listing(instructions(), word -> Action.of(word).text());
    }

    /**
     * {@return what the program, run as the kernel runs it, says of a call}
     *
     * @throws IllegalStateException if the kernel would refuse the program
     */
    Action evaluate(SeccompData data) {
        var faults = faults();
        if (!faults.isEmpty()) {
            throw new IllegalStateException("the kernel would refuse this program: " + faults.getFirst());
        }
        return Action.of(Interpreter.run(instructions(), data).value());
    }

    /** {@return what the program says of a call} */
    public Action evaluate(Arch arch, Syscall call, long... args) {
        int number =
                call.number(arch).orElseThrow(() -> new IllegalArgumentException("call: " + arch + " has no " + call));
        return evaluate(SeccompData.of(arch.auditArch(), number, args));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FilterProgram p && Arrays.equals(bytes, p.bytes) && flags.equals(p.flags);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return "FilterProgram[" + length() + " instructions]";
    }
}
