// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Processes;
import dev.caisson.linux.sys.WaitStatus;
import java.util.Optional;
import java.util.OptionalInt;

/** How a launch ended. Unless it is a {@link Child} nothing is left of it. */
public sealed interface Outcome {
    /**
     * The program reached its execve, or the end of its first part.
     *
     * @param pid in this process's PID namespace; valid until the child is reaped
     * @param pidfd owned by the receiver, who reaps the child with it
     * @param ward what ends the child if this JVM ends first; to be ended once the child is reaped
     * @param waiting the child that waits for the rest of its program, if it does
     */
    record Child(int pid, Fd pidfd, Ward ward, Optional<Waiting> waiting) implements Outcome {
        static Child running(int pid, Fd pidfd, Ward ward) {
            return new Child(pid, pidfd, ward, Optional.empty());
        }

        /** Waits for the end, reaps the child, and gives up what was held of it. For children known to be ending. */
        public WaitStatus reap() throws LinuxException {
            try (pidfd) {
                var status = Processes.reap(pidfd);
                ward.end();
                return status;
            }
        }
    }

    /**
     * A step failed; the child ended and is reaped.
     *
     * @param index of the step in the launched program; empty for one of the launcher's own
     */
    record ChildFailure(OptionalInt index, Step step, Errno errno) implements Outcome {
        /** {@return the failure of the step at an offset of a program's table} */
        static ChildFailure of(SyscallProgram program, int offset, int errno) {
            int index = TableLayout.index(offset);
            var step = index < program.steps().size()
                    ? program.steps().get(index)
                    : new Step("exec", "end of the program", Optional.empty(), "", "", new Step.Fail(Arg.of(errno)));
            return new ChildFailure(OptionalInt.of(index), step, new Errno(errno));
        }
    }

    /** The child was killed before its execve, by the out-of-memory killer for example; it is reaped. */
    record Died(WaitStatus status) implements Outcome {}
}
