// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Processes;
import java.lang.foreign.Arena;
import java.util.OptionalInt;

/**
 * Reads what an isolated child says of itself, up to the end of file that means success: its descriptor is closed by
 * execve.
 */
final class ReportReader {
    private final SyscallProgram program;
    private Outcome.Child child;

    ReportReader(SyscallProgram program, Outcome.Child child) {
        this.program = program;
        this.child = child;
    }

    Outcome read(Fd pipe) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var record = arena.allocate(TableLayout.REPORT_SIZE, Integer.BYTES);
            boolean executed = false;
            while (Files.read(pipe, record) == TableLayout.REPORT_SIZE) {
                int errno = record.get(JAVA_INT, TableLayout.FAILED_ERRNO);
                switch (record.get(JAVA_INT, TableLayout.STATE)) {
                    case TableLayout.EXECVE_ATTEMPTED -> executed = true;
                    case TableLayout.FORKED -> forked(errno);
                    case TableLayout.FAILED -> {
                        return failure(program, child.pidfd(), record.get(JAVA_INT, TableLayout.FAILED_STEP), errno);
                    }
                    default -> throw new IllegalStateException("the child sent a report of an unknown kind");
                }
            }
            return executed ? child : died(child.pidfd());
        }
    }

    /** The image forked the payload beside itself, as our child, and ends. */
    private void forked(int pid) throws LinuxException {
        // Our child and not reaped by anybody else: the pid still means it.
        var payload = new Outcome.Child(pid, Processes.open(pid));
        try (var intermediate = child.pidfd()) {
            var _ = Processes.reap(intermediate);
        }
        child = payload;
    }

    /** Ends the child after a failure of our own; does nothing if it is already reaped. */
    void kill() throws LinuxException {
        if (child.pidfd().isOpen()) {
            kill(child.pidfd());
        }
    }

    static void kill(Fd pidfd) throws LinuxException {
        try (pidfd) {
            var _ = Processes.signal(pidfd, Signal.SIGKILL);
            var _ = Processes.reap(pidfd);
        }
    }

    static Outcome failure(SyscallProgram program, Fd pidfd, int offset, int errno) throws LinuxException {
        try (pidfd) {
            var _ = Processes.reap(pidfd);
        }
        int index = TableLayout.index(offset);
        var step = index < program.steps().size()
                ? program.steps().get(index)
                : new Step("exec", "end of the program", "", "", new Step.Fail(Arg.of(errno)));
        return new Outcome.ChildFailure(OptionalInt.of(index), step, new Errno(errno));
    }

    static Outcome died(Fd pidfd) throws LinuxException {
        try (pidfd) {
            return new Outcome.Died(Processes.reap(pidfd));
        }
    }
}
