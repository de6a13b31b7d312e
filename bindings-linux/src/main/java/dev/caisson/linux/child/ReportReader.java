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
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

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

    /** Reads to the end even after a failure: whom the child forked before is told of later, and must be reaped too. */
    Outcome read(Fd pipe) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var record = arena.allocate(TableLayout.REPORT_SIZE, Integer.BYTES);
            boolean executed = false;
            @Nullable Failure failure = null;
            while (Files.read(pipe, record) == TableLayout.REPORT_SIZE) {
                int errno = record.get(JAVA_INT, TableLayout.FAILED_ERRNO);
                switch (record.get(JAVA_INT, TableLayout.STATE)) {
                    case TableLayout.EXECVE_ATTEMPTED -> executed = true;
                    case TableLayout.FORKED -> forked(errno);
                    case TableLayout.FAILED -> {
                        // The first one: others fail because of it.
                        if (failure == null) {
                            failure = new Failure(record.get(JAVA_INT, TableLayout.FAILED_STEP), errno);
                        }
                    }
                    default -> throw new IllegalStateException("the child sent a report of an unknown kind");
                }
            }
            if (failure != null) {
                return failure(program, child.pidfd(), failure.offset(), failure.errno());
            }
            return executed ? child : died(child.pidfd());
        }
    }

    /** A failed step by its place in the table. */
    private record Failure(int offset, int errno) {}

    /** The image forked the payload beside itself, as our child (see {@link ForkSteps}), and ends. */
    private void forked(int pid) throws LinuxException {
        var image = child.pidfd();
        // Our child and not reaped by anybody else: the pid still means it.
        try {
            child = new Outcome.Child(pid, Processes.open(pid));
        } catch (LinuxException noDescriptor) {
            Processes.killAndReap(pid);
            throw noDescriptor;
        }
        try (image) {
            var _ = Processes.reap(image);
        }
    }

    /** Ends the child after a failure of our own; does nothing if it is already reaped. */
    void killBecauseOf(Throwable failure) {
        try {
            if (child.pidfd().isOpen()) {
                kill(child.pidfd());
            }
        } catch (LinuxException alsoFailed) {
            failure.addSuppressed(alsoFailed);
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
                : new Step("exec", "end of the program", Optional.empty(), "", "", new Step.Fail(Arg.of(errno)));
        return new Outcome.ChildFailure(OptionalInt.of(index), step, new Errno(errno));
    }

    static Outcome died(Fd pidfd) throws LinuxException {
        try (pidfd) {
            return new Outcome.Died(Processes.reap(pidfd));
        }
    }
}
