// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.Errno;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.WaitStatus;
import java.util.OptionalInt;

/** How a launch ended. Unless it is a {@link Child} nothing is left of it. */
public sealed interface Outcome {
    /**
     * The program reached its execve.
     *
     * @param pid in this process's PID namespace; valid until the child is reaped
     * @param pidfd owned by the receiver, who reaps the child with it
     */
    record Child(int pid, Fd pidfd) implements Outcome {}

    /**
     * A step failed; the child ended and is reaped.
     *
     * @param index of the step in the launched program; empty for one of the launcher's own
     */
    record ChildFailure(OptionalInt index, Step step, Errno errno) implements Outcome {}

    /** The child was killed before its execve, by the out-of-memory killer for example; it is reaped. */
    record Died(WaitStatus status) implements Outcome {}
}
