// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.flag.CloneFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Sockets;
import dev.caisson.linux.sys.WaitStatus;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * The launching side of a shim, the supervisor of a detached container (src/main/shim). The shim launches as the zygote does,
 * but is the parent of what it clones. Until {@link #commit} it ends with this JVM, and all it launched with it; from then on
 * it is on its own. Not thread-safe.
 */
public final class Shim implements LaunchService, AutoCloseable {
    private static final int LAUNCH = 1;
    private static final int REAP = 2;
    private static final int COMMIT = 3;
    private static final int REQUEST_SIZE = 24;
    private static final int ANSWER_SIZE = 16;
    private static final int SIGCHLD = 17;
    private static final int CLD_EXITED = 1;
    private static final int CLD_DUMPED = 3;

    /** How long to wait for an answer that costs the shim nothing; a shim that somebody has stopped gives none. */
    private static final long PATIENCE_MICROS = 20_000_000;

    private final Fd socket;
    private final PidPage page;
    private int lastSocket;
    private Map<Arg.Slot, Integer> numbers = Map.of();

    private Shim(Fd socket, PidPage page) {
        this.socket = socket;
        this.page = page;
    }

    /**
     * Starts one.
     *
     * @param directory where it records what becomes of the container
     * @param lock a lock on a file there, which the shim holds from now on for as long as it lives
     */
    static Shim start(Launcher launcher, ShimImage image, Fd directory, Fd lock) throws IOException {
        var pair = Sockets.messagePair();
        var page = Optional.<PidPage>empty();
        boolean started = false;
        try (var far = pair.far();
                var code = image.copy()) {
            page = Optional.of(PidPage.create());
            Sockets.receiveWithin(pair.near(), PATIENCE_MICROS);
            var descriptors = Map.of(
                    ShimSteps.SOCKET, far.number(),
                    ShimSteps.DIRECTORY, directory.number(),
                    ShimSteps.LOCK, lock.number(),
                    ShimSteps.PAGE, page.get().file().number(),
                    ShimSteps.IMAGE, code.number());
            switch (launcher.launch(Launch.isolated(ShimSteps.PROGRAM, 0, descriptors))) {
                // It forks itself and ends, so that the zygote knows nobody that lives.
                case Outcome.Child child -> {
                    if (!child.reap().exitCode().equals(OptionalInt.of(0))) {
                        throw new LinuxException(Errno.EAGAIN, "clone(SIGCHLD) by the supervisor");
                    }
                }
                case Outcome.ChildFailure failure ->
                    throw new LinuxException(failure.errno(), "supervisor: " + failure.step());
                case Outcome.Died died -> throw new IOException("the supervisor died at once: " + died.status());
            }
            started = true;
            return new Shim(pair.near(), page.get());
        } finally {
            if (!started) {
                page.ifPresent(PidPage::close);
                pair.near().close();
            }
        }
    }

    @Override
    public Outcome launch(Launch launch, OptionalLong deadline) throws IOException {
        try (var pair = Sockets.pair()) {
            page.clear();
            var talk = new Talk(pair.near(), launch, new Asked(), deadline);
            send(launch, pair.far());
            pair.far().close();
            return talk.outcome().orElseThrow(() -> new IOException("the supervisor was killed during the launch"));
        }
    }

    private final class Asked implements Talk.Party {
        @Override
        public int pid() {
            return page.pid();
        }

        @Override
        public WaitStatus reap(int pid) throws LinuxException {
            return Shim.this.reap(pid);
        }
    }

    private void send(Launch launch, Fd far) throws IOException {
        var program = launch.program();
        var wanted = new ArrayList<>(launch.descriptors().values());
        launch.cgroup().ifPresent(wanted::add);
        var arrivals = new Arrivals(far.number(), wanted, program.claimed());
        try (var arena = Arena.ofConfined();
                var file = Files.memory("caisson-table", program.size())) {
            var table = arena.allocate(program.size(), Long.BYTES);
            place(table, launch, arrivals);
            Files.writeFully(file, table);
            // Strings of a launch may be secrets (the environment).
            table.fill((byte) 0);
            var request = arena.allocate(REQUEST_SIZE, Long.BYTES);
            request.set(JAVA_INT, 0, LAUNCH);
            request.set(JAVA_LONG, 8, program.size());
            request.set(JAVA_INT, 16, arrivals.last(file.number()));
            request.set(JAVA_INT, 20, arrivals.socket());
            send(request, arrivals.sent());
            lastSocket = arrivals.socket();
            var arrived = new HashMap<Arg.Slot, Integer>();
            launch.descriptors().forEach((slot, number) -> arrived.put(slot, arrivals.of(number)));
            numbers = arrived;
        }
    }

    private static void place(MemorySegment table, Launch launch, Arrivals arrivals) {
        var values = new HashMap<Arg.Slot, Integer>();
        values.put(SyscallProgram.GATE, arrivals.socket());
        values.put(SyscallProgram.REPORT, arrivals.socket());
        launch.descriptors().forEach((name, number) -> values.put(name, arrivals.of(number)));
        launch.program().place(table, ZygoteProgram.REQUEST_ADDRESS, values);
        table.set(JAVA_INT, TableLayout.REPORT_FD, arrivals.socket());
        table.set(JAVA_INT, TableLayout.PIDFD, -1);
        long flags = CloneFlags.CLONE_PIDFD | CloneFlags.CLONE_PARENT_SETTID | launch.flags();
        boolean intoCgroup = launch.cgroup().isPresent();
        table.set(
                JAVA_LONG, TableLayout.OLDER_FLAGS, intoCgroup ? 0 : CloneFlags.CLONE_PIDFD | launch.flags() | SIGCHLD);
        long[] cloneArgs = {
            flags | (intoCgroup ? CloneFlags.CLONE_INTO_CGROUP : 0),
            ZygoteProgram.REQUEST_ADDRESS + TableLayout.PIDFD,
            0,
            PidPage.ADDRESS,
            SIGCHLD,
            0,
            0,
            0,
            0,
            0,
            arrivals.of(launch.cgroup())
        };
        MemorySegment.copy(cloneArgs, 0, table, JAVA_LONG, TableLayout.CLONE_ARGS, cloneArgs.length);
    }

    private void send(MemorySegment message, int[] descriptors) throws LinuxException {
        long result = Sockets.send(socket, message, descriptors);
        if (result != 0) {
            throw new LinuxException(new Errno((int) -result), "sendmsg(the supervisor's socket, SCM_RIGHTS)");
        }
    }

    private MemorySegment answer(Arena arena) throws LinuxException {
        var answer = arena.allocate(ANSWER_SIZE, Integer.BYTES);
        int length = Sockets.receive(socket, answer);
        if (length != ANSWER_SIZE) {
            throw new LinuxException(
                    length < 0 ? new Errno(-length) : Errno.EPIPE, "recvfrom(the supervisor's socket)");
        }
        return answer;
    }

    private WaitStatus reap(int pid) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var request = arena.allocate(REQUEST_SIZE, Long.BYTES);
            request.set(JAVA_INT, 0, REAP);
            request.set(JAVA_INT, 4, pid);
            send(request, new int[0]);
            var answer = answer(arena);
            int code = answer.get(JAVA_INT, 8);
            var number = OptionalInt.of(answer.get(JAVA_INT, 12));
            boolean exited = code == CLD_EXITED;
            return new WaitStatus(
                    exited ? number : OptionalInt.empty(),
                    exited ? OptionalInt.empty() : number,
                    code == CLD_DUMPED,
                    Duration.ZERO,
                    Duration.ZERO,
                    0,
                    0,
                    0,
                    0);
        }
    }

    /**
     * Lets the shim go, with the container that runs: it records that, and no longer depends on this JVM.
     *
     * @param kept the slot of the socket that takes the root of the container, if it is kept
     * @throws IOException if it did not; the container ends then, with {@link #close}
     */
    public void commit(int pid, ShimTerms terms, Optional<Arg.Slot> kept) throws IOException {
        try (var arena = Arena.ofConfined()) {
            int keptNumber = kept.map(slot -> numbers.getOrDefault(slot, -1)).orElse(-1);
            byte[] message = terms.encode(COMMIT, pid, lastSocket, keptNumber);
            send(arena.allocateFrom(JAVA_BYTE, message), terms.descriptors());
            int result = answer(arena).get(JAVA_INT, 4);
            if (result < 0) {
                throw new LinuxException(new Errno(-result), "pidfd_open(" + pid + ") by the supervisor");
            }
        }
    }

    /** Ends it, and all it launched, unless it is on its own; returns when it is gone. */
    @Override
    public void close() {
        if (socket.isOpen()) {
            Sockets.shutdown(socket);
            try (var arena = Arena.ofConfined()) {
                var rest = arena.allocate(ANSWER_SIZE, Integer.BYTES);
                while (Sockets.receive(socket, rest) > 0) {}
            }
            socket.close();
        }
        page.close();
    }
}
