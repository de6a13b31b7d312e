// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.call.Arg;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Everything one launch needs.
 *
 * @param flags CLONE_NEW* flags of the namespaces the child starts in
 * @param cgroup a descriptor of the version 2 cgroup the child is born in (CLONE_INTO_CGROUP, Linux 5.7)
 * @param descriptors a value for each parameter of the program; they stay owned by the caller
 * @param gates the work behind each gate of the program
 */
public record Launch(
        EncodedProgram program,
        Mode mode,
        long flags,
        OptionalInt cgroup,
        Map<Arg.Slot, Integer> descriptors,
        Map<String, Gate> gates) {

    /** Where the program runs until its execve. */
    public enum Mode {
        /** In the JVM's memory, as vfork(2) does: as cheap as posix_spawn whatever the size of the heap. */
        DIRECT,

        /**
         * In a memory of its own: for programs that an untrusted process could watch before their execve, and for those
         * that stay, such as an init.
         */
        ISOLATED
    }

    public Launch {
        descriptors = Map.copyOf(descriptors);
        gates = Map.copyOf(gates);
        if (mode == Mode.DIRECT && !program.program().gates().isEmpty()) {
            throw new IllegalArgumentException("nobody could open a gate while the kernel holds the launching thread");
        }
        for (String gate : program.program().gates()) {
            if (!gates.containsKey(gate)) {
                throw new IllegalArgumentException("nobody opens the gate \"" + gate + "\"");
            }
        }
    }

    public static Launch direct(EncodedProgram program, long flags, Map<Arg.Slot, Integer> descriptors) {
        return new Launch(program, Mode.DIRECT, flags, OptionalInt.empty(), descriptors, Map.of());
    }

    public static Launch isolated(EncodedProgram program, long flags, Map<Arg.Slot, Integer> descriptors) {
        return new Launch(program, Mode.ISOLATED, flags, OptionalInt.empty(), descriptors, Map.of());
    }
}
