// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static dev.caisson.linux.flag.MessageFlags.MSG_NOSIGNAL;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Native;
import dev.caisson.linux.sys.Processes;
import dev.caisson.linux.sys.Sockets;
import dev.caisson.linux.sys.WaitStatus;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * This JVM's side of one launch by the zygote or a shim: what the child says on its socket, up to the end of file that means that it is
 * done or gone, since the child's end is closed by execve, or up to where it waits for the rest of its program. At gates it is
 * answered.
 */
final class Talk {
    private static final int PAUSE_NANOS = 5_000_000;
    private static final int MOST_PAUSES = 400;

    /** How long to wait for a word before looking whether the zygote is stopped. */
    private static final long PATIENCE_MICROS = 200_000;

    private final Fd socket;
    private final Launch launch;
    private final Party party;
    private final boolean gated;
    private final OptionalLong deadline;
    private boolean executed;
    private boolean waiting;
    private boolean failed;
    private int failedStep;
    private int failedErrno;
    private int refused;
    private int forked;
    private boolean expired;
    private final boolean interruptedBefore = Thread.currentThread().isInterrupted();
    private boolean interrupted;
    private @Nullable IOException refusal;

    /** Whom this JVM talks to. */
    interface Party {
        /** {@return its pid, or 0 before it is cloned} */
        int pid();

        /** {@return a pidfd of it, or of the child it has forked} */
        default Fd pidfd(int child) throws LinuxException {
            // Our child and not reaped by anybody else: the pid still means it.
            return Processes.open(child);
        }

        /** Waits for the end of it, or of the child it has forked, and reaps it. */
        default WaitStatus reap(int child) throws LinuxException {
            return Processes.reap(child);
        }

        /** Looks for the cause when it says nothing for a while. */
        default void look() throws IOException {}
    }

    /**
     * Begins; the request is sent afterwards.
     *
     * @param deadline by the clock of System.nanoTime, when the child is killed if it has not come to its execve
     */
    Talk(Fd socket, Launch launch, Party party, OptionalLong deadline) throws LinuxException {
        this.socket = socket;
        this.launch = launch;
        this.party = party;
        this.deadline = deadline;
        this.gated = !launch.program().program().gates().isEmpty()
                || launch.program().program().awaits();
        Sockets.receiveWithin(
                socket, deadline.isPresent() ? Math.clamp(left() / 1000, 1000, PATIENCE_MICROS) : PATIENCE_MICROS);
        if (launch.gates().values().stream().anyMatch(Handover.class::isInstance)) {
            Sockets.receiveCredentials(socket);
        }
    }

    /** {@return whether the child is another process than the one that was cloned} */
    boolean hasForked() {
        return forked != 0;
    }

    /** {@return whether the child awaits the rest of its program, by the socket, which is still open} */
    boolean isWaiting() {
        return waiting;
    }

    /** {@return the outcome, or nothing if the zygote ended before it cloned} */
    Optional<Outcome> outcome() throws IOException {
        try (var arena = Arena.ofConfined()) {
            if (!gated || converse(arena.allocate(TableLayout.REPORT_SIZE, Long.BYTES))) {
                listen(arena.allocate(2 * TableLayout.REPORT_SIZE, Long.BYTES));
            }
        } catch (IOException | RuntimeException | Error lost) {
            abandon(lost);
            throw lost;
        }
        return conclude();
    }

    /** Two reports, or one and the end, are what a launch consists of after its gates: one call waits for both. */
    private void listen(MemorySegment reports) throws IOException {
        int have = 0;
        while (!waiting) {
            int n = Sockets.receive(socket, reports.asSlice(have));
            if (n == 0 || n == -Errno.ECONNRESET.code()) {
                return; // Reset: it ended without having read an answer.
            }
            if (n == -Errno.EAGAIN.code()) {
                look();
                continue;
            }
            if (n < 0) {
                throw new LinuxException(new Errno(-n), "recvfrom(" + socket + ")");
            }
            have += n;
            int at = 0;
            for (; have - at >= TableLayout.REPORT_SIZE; at += TableLayout.REPORT_SIZE) {
                note(reports.asSlice(at, TableLayout.REPORT_SIZE));
            }
            have -= at;
            MemorySegment.copy(reports, at, reports, 0, have);
        }
    }

    /** {@return whether the child is past all gates and still to be listened to} */
    private boolean converse(MemorySegment report) throws IOException {
        var program = launch.program().program();
        int last = program.awaits() ? Integer.MAX_VALUE : program.gates().size() - 1;
        while (!waiting) {
            Sockets.Message message;
            try {
                message = Sockets.receiveWith(socket, report);
            } catch (LinuxException nothing) {
                if (nothing.errno().equals(Errno.ECONNRESET)) {
                    return false; // It ended without having read an answer.
                }
                if (!nothing.errno().equals(Errno.EAGAIN)) {
                    throw nothing;
                }
                look();
                continue;
            }
            if (message.length() != TableLayout.REPORT_SIZE) {
                return false;
            }
            if (report.get(JAVA_INT, TableLayout.STATE) != TableLayout.AT_A_GATE) {
                note(report);
                continue;
            }
            int gate = report.get(JAVA_INT, TableLayout.GATE_NUMBER);
            serve(message, gate, report.get(JAVA_LONG, TableLayout.GATE_ADDRESS));
            if (gate == last) {
                return true;
            }
        }
        return false;
    }

    private long left() {
        return deadline.orElseThrow() - System.nanoTime();
    }

    /** Somebody may hold the child: a tracer, a supervisor, a file system that does not answer. */
    private void expire() {
        expired = true;
        kill(party.pid());
        kill(forked);
    }

    private static void kill(int pid) {
        if (pid != 0) {
            Offspring.kill(pid);
        }
    }

    private void killAndReap(int child) throws LinuxException {
        kill(child);
        var _ = party.reap(child);
    }

    private void look() throws IOException {
        if (deadline.isPresent() && left() <= 0) {
            expire();
        }
        party.look();
        int child = forked == 0 ? party.pid() : forked;
        // Without a deadline nothing else would end a launch that a tracer holds.
        if (!interrupted
                && !interruptedBefore
                && child != 0
                && Thread.currentThread().isInterrupted()
                && ZygoteProcess.isStopped(child)) {
            interrupted = true;
            throw new InterruptedIOException("interrupted while the child is stopped before its command"
                    + Holdup.of(child).map(how -> ": " + how).orElse(""));
        }
    }

    /** Listens on to the end even after a failure: whom the child forked before is told of later, and must be reaped too. */
    private void note(MemorySegment report) {
        int errno = report.get(JAVA_INT, TableLayout.FAILED_ERRNO);
        switch (report.get(JAVA_INT, TableLayout.STATE)) {
            case TableLayout.EXECVE_ATTEMPTED -> executed = true;
            case TableLayout.WAITING -> waiting = true;
            case TableLayout.FORKED -> {
                // Before an execve only: an init has this socket a moment longer than the command, which may be able to
                // take it from it, and has nobody to name.
                if (!executed) {
                    forked = errno;
                    if (expired) {
                        kill(forked);
                    }
                }
            }
            case TableLayout.REFUSED -> refused = -errno;
            case TableLayout.FAILED -> {
                // The first one: others fail because of it.
                if (!failed) {
                    failed = true;
                    failedStep = report.get(JAVA_INT, TableLayout.FAILED_STEP);
                    failedErrno = errno;
                }
            }
            default -> throw new IllegalStateException("the child sent a report of an unknown kind");
        }
    }

    private void serve(Sockets.Message message, int number, long address) {
        var names = launch.program().program().gates();
        if (refusal != null || number < 0 || number >= names.size()) {
            answer(false);
            return;
        }
        String name = names.get(number);
        try {
            if (launch.gates().get(name) instanceof Handover handover) {
                take(handover, message, address);
            } else if (launch.gates().get(name) instanceof Consultation consultation) {
                answer(consult(consultation, message));
            } else {
                open(name);
                answer(true);
            }
        } catch (IOException refusedHere) {
            refusal = refusedHere;
            answer(false);
        } catch (RuntimeException | Error bug) {
            // Thrown on, it would hide the outcome of the launch, and with it the child.
            refusal = new IOException("the work at the gate \"" + name + "\" failed: " + bug, bug);
            answer(false);
        }
    }

    private void open(String name) throws IOException {
        var gate = launch.gates().get(name);
        if (gate == null) {
            throw new IllegalStateException("no gate \"" + name + "\"");
        }
        gate.open(known());
    }

    /** Where the kernel has no clone3, the zygote itself writes the pid, a moment after the child begins. */
    private int known() throws IOException {
        for (int i = 0; i < MOST_PAUSES && party.pid() == 0; i++) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        if (party.pid() == 0) {
            throw new IOException("the zygote does not say whom it has cloned");
        }
        return party.pid();
    }

    private void take(Handover handover, Sockets.Message message, long address) throws IOException {
        if (message.descriptor().isPresent()) {
            handover.take(message.descriptor().get());
            return;
        }
        var offer = new Offer(socket, message.pid(), address);
        offer.check();
        answer(true);
        offer.fetch(handover);
    }

    private static byte[] consult(Consultation consultation, Sockets.Message message) throws IOException {
        try (var shown = message.descriptor().orElseThrow(() -> new IOException("the child showed no descriptor"))) {
            return consultation.answer(shown);
        }
    }

    private void answer(boolean agreed) {
        send(agreed ? 0 : Errno.ECANCELED.code(), new byte[0]);
    }

    private void answer(byte[] bytes) {
        send(0, bytes);
    }

    private void send(int refusalCode, byte[] bytes) {
        try (var arena = Arena.ofConfined()) {
            var all = arena.allocate(Integer.BYTES + bytes.length, Integer.BYTES);
            all.set(JAVA_INT, 0, refusalCode);
            MemorySegment.copy(bytes, 0, all, JAVA_BYTE, Integer.BYTES, bytes.length);
            var _ = Native.call(Syscall.SENDTO, socket.number(), all.address(), all.byteSize(), MSG_NOSIGNAL, 0, 0);
        }
    }

    private Optional<Outcome> conclude() throws IOException {
        if (!waiting) {
            // Gives the pidfd a number to be had under, if there is no other.
            socket.close();
        }
        int first = party.pid();
        if (refused != 0) {
            throw new LinuxException(
                    new Errno(refused),
                    CloneCall.describe(
                            Zygote.FLAGS | launch.flags(), launch.cgroup().isPresent()));
        }
        if (first == 0) {
            return Optional.empty();
        }
        int child = forked == 0 ? first : forked;
        if (forked != 0) {
            // It has nothing more to do than to end.
            var _ = party.reap(first);
        }
        if (refusal != null) {
            killAndReap(child);
            throw refusal;
        }
        if (failed) {
            var _ = party.reap(child);
            return Optional.of(Outcome.ChildFailure.of(launch.program().program(), failedStep, failedErrno));
        }
        if (!executed && !waiting && !expired) {
            kill(child);
            return Optional.of(new Outcome.Died(party.reap(child)));
        }
        try {
            return Optional.of(Outcome.Child.running(child, party.pidfd(child), Ward.NONE));
        } catch (LinuxException noDescriptor) {
            killAndReap(child);
            throw noDescriptor;
        }
    }

    /** Waits until there is a child or none will come, and ends it. */
    private void abandon(Throwable because) {
        try (var arena = Arena.ofConfined()) {
            var report = arena.allocate(TableLayout.REPORT_SIZE, Long.BYTES);
            while (party.pid() == 0 && !Sockets.hasEnded(socket, PAUSE_NANOS)) {
                look();
            }
            int first = party.pid();
            if (first == 0) {
                return;
            }
            Offspring.kill(first);
            int n;
            while ((n = Sockets.receive(socket, report)) == TableLayout.REPORT_SIZE || n == -Errno.EAGAIN.code()) {
                if (n < 0) {
                    look();
                } else if (report.get(JAVA_INT, TableLayout.STATE) == TableLayout.FORKED) {
                    forked = report.get(JAVA_INT, TableLayout.FAILED_ERRNO);
                    Offspring.kill(forked);
                }
            }
            killAndReap(first);
            if (forked != 0) {
                killAndReap(forked);
            }
        } catch (IOException | RuntimeException alsoFailed) {
            because.addSuppressed(alsoFailed);
        }
    }
}
