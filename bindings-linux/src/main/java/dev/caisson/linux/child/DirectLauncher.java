// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.flag.CloneFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Native;
import dev.caisson.linux.sys.Processes;
import dev.caisson.linux.sys.Sockets;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

/** Clones children that share the JVM's memory until their execve, as vfork(2) does: as cheap as posix_spawn(3). */
final class DirectLauncher {
    /**
     * VFORK is not optional beside VM: the memory cgroup's out-of-memory killer takes every process that shares the
     * victim's memory, but leaves a child in vfork alone. Without it, a child over its limit would take the JVM along.
     */
    static final long FLAGS = CloneFlags.CLONE_VM
            | CloneFlags.CLONE_VFORK
            | CloneFlags.CLONE_PIDFD
            | CloneFlags.CLONE_PARENT_SETTID
            | CloneFlags.CLONE_CLEAR_SIGHAND;

    private static final int SIGCHLD = 17;

    /** How long to wait for a report before looking whether somebody has stopped the image. */
    private static final long PATIENCE_MICROS = 200_000;

    private final LaunchMemoryPool memories;

    DirectLauncher(LaunchMemoryPool memories) {
        this.memories = memories;
    }

    Outcome launch(EncodedProgram program, long flags, OptionalInt cgroup, Map<Arg.Slot, Integer> descriptors)
            throws LinuxException {
        var memory = memories.take(program.size());
        try {
            prepare(program, flags, cgroup, descriptors, memory);
            long pid = Stub.host().launch(memory.table().address());
            if (Native.failed(pid)) {
                throw new LinuxException(Native.errno(pid), CloneCall.describe(FLAGS | flags, cgroup.isPresent()));
            }
            return outcome(program.program(), pid, memory);
        } finally {
            memories.giveBack(memory);
        }
    }

    /**
     * Makes a child of the calling thread an image that walks a program in a memory of its own, and waits until it reports an
     * execve, which it may do without one.
     */
    Outcome image(EncodedProgram program, Map<Arg.Slot, Integer> given) throws LinuxException {
        try (var report = Sockets.pair()) {
            Sockets.receiveWithin(report.near(), PATIENCE_MICROS);
            var descriptors = new HashMap<>(given);
            int reports = report.far().number();
            descriptors.put(SyscallProgram.REPORT, reports);
            Outcome first;
            try (var image = IsolatedImage.create(Arch.host(), Stub.host().code(), program, descriptors, reports)) {
                var prelude = IsolatedPrelude.encode(descriptors.values(), image.number());
                first = launch(prelude, 0, OptionalInt.empty(), Map.of());
            }
            report.far().close();
            if (first instanceof Outcome.Child child) {
                return read(report.near(), program.program(), child);
            }
            // A failing step of the prelude is the launcher's own, whatever its number.
            return first instanceof Outcome.ChildFailure failure
                    ? new Outcome.ChildFailure(OptionalInt.empty(), failure.step(), failure.errno())
                    : first;
        }
    }

    private static Outcome read(Fd reports, SyscallProgram program, Outcome.Child child) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var record = arena.allocate(TableLayout.REPORT_SIZE, Integer.BYTES);
            boolean executed = false;
            while (true) {
                int n = Sockets.receive(reports, record);
                if (n == TableLayout.REPORT_SIZE) {
                    if (record.get(JAVA_INT, TableLayout.STATE) == TableLayout.FAILED) {
                        return failure(program, child.pidfd(), record);
                    }
                    executed = true;
                    continue;
                }
                if (n == 0) {
                    return executed ? child : died(child.pidfd());
                }
                if (n == -Errno.EAGAIN.code()) {
                    if (!ZygoteProcess.isStopped(child.pid())) {
                        continue;
                    }
                    var _ = Processes.signal(child.pidfd(), Signal.SIGKILL);
                    return died(child.pidfd());
                }
                Processes.killAndReap(child.pidfd());
                throw new LinuxException(new Errno(-n), "recvfrom(" + reports + ")");
            }
        }
    }

    private static void prepare(
            EncodedProgram program,
            long flags,
            OptionalInt cgroup,
            Map<Arg.Slot, Integer> descriptors,
            LaunchMemory memory) {
        var table = memory.table();
        program.place(table, table.address(), descriptors);
        table.set(JAVA_INT, TableLayout.REPORT_FD, -1);
        table.set(JAVA_INT, TableLayout.PIDFD, -1);
        long[] cloneArgs = {
            FLAGS | flags | (cgroup.isPresent() ? CloneFlags.CLONE_INTO_CGROUP : 0),
            table.address() + TableLayout.PIDFD,
            0,
            table.address() + TableLayout.PID,
            SIGCHLD,
            memory.stack(),
            memory.stackSize(),
            0,
            0,
            0,
            cgroup.orElse(0)
        };
        MemorySegment.copy(cloneArgs, 0, table, JAVA_LONG, TableLayout.CLONE_ARGS, cloneArgs.length);
    }

    private static Outcome outcome(SyscallProgram program, long pid, LaunchMemory memory) throws LinuxException {
        var table = memory.table();
        var child = Outcome.Child.running((int) pid, Fd.owning(table.get(JAVA_INT, TableLayout.PIDFD)), Ward.NONE);
        return switch (table.get(JAVA_INT, TableLayout.STATE)) {
            case TableLayout.EXECVE_ATTEMPTED -> child;
            case TableLayout.FAILED -> failure(program, child.pidfd(), table);
            default -> died(child.pidfd());
        };
    }

    private static Outcome failure(SyscallProgram program, Fd pidfd, MemorySegment report) throws LinuxException {
        try (pidfd) {
            var _ = Processes.reap(pidfd);
        }
        return Outcome.ChildFailure.of(
                program, report.get(JAVA_INT, TableLayout.FAILED_STEP), report.get(JAVA_INT, TableLayout.FAILED_ERRNO));
    }

    private static Outcome died(Fd pidfd) throws LinuxException {
        try (pidfd) {
            return new Outcome.Died(Processes.reap(pidfd));
        }
    }
}
