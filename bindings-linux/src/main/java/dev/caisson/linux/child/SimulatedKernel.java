// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.Syscall;

/** Answers the system calls of a simulated child. */
@FunctionalInterface
public interface SimulatedKernel {
    /**
     * Makes a call.
     *
     * @param args six register values
     * @param memory what pointers among them point into
     * @return its result, or {@code -errno}; 0 of an {@code execve} means that the program is done
     */
    long call(Syscall syscall, long[] args, SimulatedMemory memory);
}
