// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Arch;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.Flags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Native;
import dev.caisson.linux.sys.Sockets;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Clones children that run a {@link SyscallProgram} and end in an execve. Thread-safe; a launch occupies its thread until
 * the child's execve, a fraction of a millisecond as a rule, and cannot be interrupted.
 */
public final class Launcher implements AutoCloseable {
    private static final long CLONE_VM = 0x100;
    private static final long CLONE_PIDFD = 0x1000;
    private static final long CLONE_VFORK = 0x4000;
    private static final long CLONE_PARENT_SETTID = 0x100000;
    private static final long CLONE_CLEAR_SIGHAND = 0x100000000L;
    private static final long CLONE_INTO_CGROUP = 0x200000000L;
    private static final int SIGCHLD = 17;

    /**
     * VFORK is not optional beside VM: the memory cgroup's out-of-memory killer takes every process that shares the
     * victim's memory, but leaves a child in vfork alone. Without it, a child over its limit would take the JVM along.
     */
    private static final long FLAGS = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CLEAR_SIGHAND;

    private static final Flags CLONE_FLAGS = Flags.named("0")
            .with("CLONE_VM", CLONE_VM)
            .with("CLONE_VFORK", CLONE_VFORK)
            .with("CLONE_PIDFD", CLONE_PIDFD)
            .with("CLONE_PARENT_SETTID", CLONE_PARENT_SETTID)
            .with("CLONE_CLEAR_SIGHAND", CLONE_CLEAR_SIGHAND)
            .with("CLONE_INTO_CGROUP", CLONE_INTO_CGROUP)
            .with("CLONE_NEWNS", 0x20000)
            .with("CLONE_NEWCGROUP", 0x2000000)
            .with("CLONE_NEWUTS", 0x4000000)
            .with("CLONE_NEWIPC", 0x8000000)
            .with("CLONE_NEWUSER", 0x10000000)
            .with("CLONE_NEWPID", 0x20000000)
            .with("CLONE_NEWNET", 0x40000000);

    private final Stub stub = Stub.host();
    private final LaunchMemoryPool memories = new LaunchMemoryPool();
    private final GateKeeper gateKeeper = new GateKeeper();

    /** {@return the clone3 call of a launch, as strace prints it} */
    public static String describe(long flags, boolean intoCgroup) {
        return "clone3({flags=" + CLONE_FLAGS.text(FLAGS | flags | (intoCgroup ? CLONE_INTO_CGROUP : 0))
                + ", exit_signal=SIGCHLD}, 88)";
    }

    /**
     * Launches a child and waits for its execve.
     *
     * @throws LinuxException if clone3 or one of the launcher's own calls is refused
     * @throws IOException what a {@link Gate} threw
     */
    public Outcome launch(Launch launch) throws IOException {
        boolean gated = !launch.program().program().gates().isEmpty();
        try (var gate = gated ? Sockets.pair() : null) {
            var descriptors = new HashMap<>(launch.descriptors());
            if (gate != null) {
                if (launch.gates().values().stream().anyMatch(Handover.class::isInstance)) {
                    Sockets.receiveCredentials(gate.near());
                }
                descriptors.put(SyscallProgram.GATE, gate.far().number());
                descriptors.put(SyscallProgram.GATE_FAR_END, gate.near().number());
            }
            return switch (launch.mode()) {
                case DIRECT -> direct(launch, descriptors, gate);
                case ISOLATED -> isolated(launch, descriptors, gate);
            };
        }
    }

    private Outcome direct(Launch launch, Map<String, Integer> descriptors, Sockets.@Nullable Pair gate)
            throws IOException {
        var memory = memories.take(launch.program().size());
        try {
            var table = memory.table();
            prepare(launch.program(), launch.flags(), launch.cgroup(), descriptors, memory);
            GateKeeper.@Nullable Duty duty = gate == null
                    ? null
                    : gateKeeper.serve(gate.near(), launch, () -> table.get(JAVA_INT, TableLayout.PID));
            long pid = stub.launch(table.address());
            @Nullable IOException refused = duty == null ? null : duty.end();
            var outcome = outcome(launch, launch.flags(), pid, memory);
            return refused == null ? outcome : abandon(outcome, refused);
        } finally {
            memories.giveBack(memory);
        }
    }

    private Outcome isolated(Launch launch, Map<String, Integer> descriptors, Sockets.@Nullable Pair gate)
            throws IOException {
        try (var report = Files.pipe()) {
            if (gate != null) {
                // The image is executed: the launcher's end is gone by then, and the program closes a spare copy.
                descriptors.put(SyscallProgram.GATE_FAR_END, report.reader().number());
            }
            descriptors.put(SyscallProgram.REPORT, report.writer().number());
            try (var image = IsolatedImage.create(
                    Arch.host(),
                    stub.code(),
                    launch.program(),
                    descriptors,
                    report.writer().number())) {
                return execute(launch, descriptors, gate, report, image);
            }
        }
    }

    private Outcome execute(
            Launch launch, Map<String, Integer> descriptors, Sockets.@Nullable Pair gate, Files.Pipe report, Fd image)
            throws IOException {
        var prelude = IsolatedPrelude.encode(descriptors.values(), image.number(), launch.flags());
        var memory = memories.take(prelude.size());
        Outcome first;
        try {
            prepare(prelude, launch.flags(), launch.cgroup(), Map.of(), memory);
            long pid = stub.launch(memory.table().address());
            first = outcome(launch, launch.flags(), pid, memory);
        } finally {
            memories.giveBack(memory);
        }
        report.writer().close();
        if (!(first instanceof Outcome.Child child)) {
            // A failing step of the prelude is the launcher's own, whatever its number.
            return first instanceof Outcome.ChildFailure f
                    ? new Outcome.ChildFailure(OptionalInt.empty(), f.step(), f.errno())
                    : first;
        }
        var reader = new ReportReader(launch.program().program(), child);
        try {
            @Nullable IOException refused = null;
            if (gate != null) {
                gate.far().close();
                refused = GateKeeper.serveHere(gate.near(), launch, child.pid());
            }
            var outcome = reader.read(report.reader());
            return refused == null ? outcome : abandon(outcome, refused);
        } catch (IOException | RuntimeException | Error failed) {
            reader.killBecauseOf(failed);
            throw failed;
        }
    }

    private static void prepare(
            EncodedProgram program,
            long flags,
            OptionalInt cgroup,
            Map<String, Integer> descriptors,
            LaunchMemory memory) {
        var table = memory.table();
        program.place(table, table.address(), descriptors);
        table.set(JAVA_INT, TableLayout.REPORT_FD, -1);
        table.set(JAVA_INT, TableLayout.PIDFD, -1);
        long[] cloneArgs = {
            FLAGS | flags | (cgroup.isPresent() ? CLONE_INTO_CGROUP : 0),
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

    private static Outcome outcome(Launch launch, long flags, long pid, LaunchMemory memory) throws LinuxException {
        if (Native.failed(pid)) {
            throw new LinuxException(
                    Native.errno(pid), describe(flags, launch.cgroup().isPresent()));
        }
        var table = memory.table();
        var child = new Outcome.Child((int) pid, Fd.owning(table.get(JAVA_INT, TableLayout.PIDFD)));
        return switch (table.get(JAVA_INT, TableLayout.STATE)) {
            case TableLayout.EXECVE_ATTEMPTED -> child;
            case TableLayout.FAILED ->
                ReportReader.failure(
                        launch.program().program(),
                        child.pidfd(),
                        table.get(JAVA_INT, TableLayout.FAILED_STEP),
                        table.get(JAVA_INT, TableLayout.FAILED_ERRNO));
            default -> ReportReader.died(child.pidfd());
        };
    }

    /** What a gate threw decides, whatever became of the child meanwhile. */
    private static Outcome abandon(Outcome outcome, IOException refused) throws IOException {
        if (outcome instanceof Outcome.Child child) {
            try {
                ReportReader.kill(child.pidfd());
            } catch (LinuxException alsoFailed) {
                refused.addSuppressed(alsoFailed);
            }
        }
        throw refused;
    }

    /** Frees the memory kept for later launches. Launches under way are not disturbed. */
    @Override
    public void close() {
        memories.close();
        gateKeeper.close();
    }
}
