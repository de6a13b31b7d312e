// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import java.io.IOException;

/**
 * Work that only the parent can do, at a moment when the child exists and waits: id maps by newuidmap(1), membership in a
 * version 1 cgroup, one end of a veth pair.
 */
@FunctionalInterface
public interface Gate {
    /**
     * Does the work. It runs on a thread other than the one that launches, which the kernel holds until the child's execve.
     *
     * @param pid the waiting child, in this process's PID namespace; it cannot be reaped meanwhile
     * @throws IOException to refuse; the child ends, and the launch throws this very exception
     */
    void open(int pid) throws IOException;
}
