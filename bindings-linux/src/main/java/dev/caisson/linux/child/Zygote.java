// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.CloneFlags;
import dev.caisson.linux.sys.Epoll;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Native;
import dev.caisson.linux.sys.Poller;
import dev.caisson.linux.sys.Processes;
import dev.caisson.linux.sys.Sockets;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Launches by way of a zygote: a child that it clones is this JVM's own child (CLONE_PARENT), but has nothing of the JVM, no
 * memory, no descriptor that it was not given, no executable file, whatever an image does before or after its execve. The
 * zygote holds a pidfd of each child from its first instant, and kills them when this JVM ends. It is replaced as soon as it
 * dies, and the living are handed on; a launch under way meanwhile is made again, or is none of the zygote's business any
 * more. Thread-safe.
 */
final class Zygote implements AutoCloseable {
    static final long FLAGS = CloneFlags.CLONE_PARENT | CloneFlags.CLONE_PIDFD | CloneFlags.CLONE_PARENT_SETTID;

    /** The zygote would have to be killed this often while it serves one launch. */
    private static final int MOST_ATTEMPTS = 200;

    /** A zygote may be killed as soon as it is started, too. */
    private static final int MOST_STARTS = 50;

    /** That a living zygote leaves a request unanswered is due to a shortage of descriptors, and hardly passes. */
    private static final int MOST_UNANSWERED = 3;

    private final DirectLauncher direct;
    private final LaunchMemoryPool memories;
    private final Keeper keeper = new Keeper();
    private final TreeMap<Integer, Place> places = new TreeMap<>();
    private @Nullable Ledger ledger;
    private @Nullable ZygoteProcess current;
    private Poller.@Nullable Watch death;
    private boolean closed;

    Zygote(DirectLauncher direct, LaunchMemoryPool memories) {
        this.direct = direct;
        this.memories = memories;
    }

    /** What the zygote knows a child by. */
    private final class Place implements Ward {
        private final int number;
        private @Nullable Fd pidfd;

        private Place(int number) {
            this.number = number;
        }

        @Override
        public void end() {
            synchronized (Zygote.this) {
                if (places.get(number) == this) {
                    places.remove(number);
                }
            }
        }
    }

    /** A child that was asked for, whose pid the kernel writes into the ledger. */
    private final class Asked implements Talk.Party {
        private final ZygoteProcess process;
        private final Place place;

        private Asked(ZygoteProcess process, Place place) {
            this.process = process;
            this.place = place;
        }

        @Override
        public int pid() {
            return ledger().pid(place.number);
        }

        @Override
        public void look() throws IOException {
            if (process.isStopped()) {
                renew(process);
            }
        }
    }

    /** Starts it without waiting; what is thrown meanwhile is thrown again to the first that needs it. */
    void begin() {
        keeper.later(new FutureTask<>(this::startHere));
    }

    void start() throws IOException {
        var _ = process();
    }

    private ZygoteProcess process() throws IOException {
        synchronized (this) {
            if (current != null) {
                return current;
            }
        }
        return keeper.call(this::startHere);
    }

    /** On the keeper's thread only. */
    private ZygoteProcess startHere() throws IOException {
        synchronized (this) {
            if (closed) {
                throw new IOException("the launcher is closed");
            }
            if (current != null) {
                return current; // Another caller's start came first.
            }
            if (ledger == null) {
                ledger = Ledger.create();
            }
            for (int attempt = 1; ; attempt++) {
                var process = startOne(ledger, attempt == MOST_STARTS);
                if (process.isPresent()) {
                    current = process.get();
                    return process.get();
                }
            }
        }
    }

    /** {@return a zygote that knows all the living; none if somebody ended it meanwhile} */
    private Optional<ZygoteProcess> startOne(Ledger ledger, boolean lastAttempt) throws IOException {
        var started = ZygoteProcess.start(direct, ledger, lastAttempt);
        if (started.isEmpty()) {
            return started;
        }
        var process = started.get();
        try {
            for (var place : places.values()) {
                if (place.pidfd != null && place.pidfd.isOpen()) {
                    handOver(process, place.number, place.pidfd);
                }
            }
            death = Poller.shared().watch(process.pidfd(), Epoll.IN, () -> keeper.later(() -> replace(process)));
            return started;
        } catch (LinuxException refused) {
            process.kill();
            if (lastAttempt
                    || !refused.errno().equals(Errno.EPIPE) && !refused.errno().equals(Errno.EAGAIN)) {
                throw refused;
            }
            return Optional.empty();
        } catch (RuntimeException | Error failed) {
            process.kill();
            throw failed;
        }
    }

    /** Ends a zygote that is dead or does not answer, and starts another; on the keeper's thread. */
    private void replace(ZygoteProcess old) {
        try {
            retire(old);
            if (!isClosed()) {
                var _ = startHere();
            }
        } catch (IOException failed) {
            // The next launch tries again, and tells.
        }
    }

    /** Leaves word in the ledger; nobody has to be told. */
    Ward removing(List<Path> directories) throws IOException {
        var _ = process();
        synchronized (this) {
            var book = ledger();
            var numbers = new ArrayList<Integer>();
            for (Path directory : directories) {
                book.leave(HostPath.of(directory)).ifPresent(numbers::add);
            }
            var ended = new AtomicBoolean();
            return () -> {
                if (!ended.getAndSet(true)) {
                    takeBack(book, numbers);
                }
            };
        }
    }

    private synchronized void takeBack(Ledger book, List<Integer> numbers) {
        if (book == ledger) {
            for (int number : numbers) {
                book.takeBack(number);
            }
        }
    }

    synchronized boolean isIdle() {
        return places.isEmpty();
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    private synchronized void retire(ZygoteProcess old) throws LinuxException {
        if (current != old) {
            return;
        }
        current = null;
        if (death != null) {
            death.end();
            death = null;
        }
        old.kill();
    }

    private static void handOver(ZygoteProcess process, int place, Fd pidfd) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var head = arena.allocate(ZygoteProgram.HEAD_SIZE, Long.BYTES);
            head.set(JAVA_INT, ZygoteProgram.OPERATION, ZygoteProgram.WATCH);
            head.set(JAVA_INT, ZygoteProgram.PLACE, place);
            long result = process.send(head, new int[] {pidfd.number()});
            if (result != 0) {
                throw new LinuxException(new Errno((int) -result), "sendmsg(the zygote's socket, " + pidfd + ")");
            }
        }
    }

    private void guardOrKill(ZygoteProcess process, @Nullable ZygoteProcess knowing, Place place, Fd pidfd)
            throws IOException {
        try {
            guard(process, knowing, place, pidfd);
        } catch (IOException | RuntimeException | Error failed) {
            Processes.killAndReap(pidfd);
            throw failed;
        }
    }

    /**
     * Makes sure that the present zygote knows a child.
     *
     * @param knowing a zygote that does, if any
     */
    private void guard(ZygoteProcess process, @Nullable ZygoteProcess knowing, Place place, Fd pidfd)
            throws IOException {
        for (int attempt = 0; ; attempt++) {
            synchronized (this) {
                place.pidfd = pidfd;
                if (current == null || current == knowing) {
                    return; // The next one is told of it when it starts.
                }
                try {
                    handOver(current, place.number, pidfd);
                    return;
                } catch (LinuxException gone) {
                    if (attempt == MOST_ATTEMPTS) {
                        place.end();
                        throw gone;
                    }
                    process = current;
                }
            }
            renew(process);
        }
    }

    /** Replaces a zygote that is gone or stopped; one that is only busy is left alone. */
    private void renew(ZygoteProcess old) throws IOException {
        var _ = keeper.call(() -> {
            boolean over;
            synchronized (this) {
                over = current == old && (old.isStopped() || old.hasEnded());
            }
            if (over) {
                retire(old);
            }
            return startHere();
        });
    }

    /** The lowest free place: what has ended makes room, so that the zygote never holds more than ran at once. */
    private synchronized Place reserve() throws LinuxException {
        int number = 0;
        for (int taken : places.keySet()) {
            if (taken != number) {
                break;
            }
            number++;
        }
        if (number == Ledger.MOST_PLACES) {
            throw new LinuxException(Errno.EMFILE, "a place for one more child");
        }
        ledger().clear(number);
        var place = new Place(number);
        places.put(number, place);
        return place;
    }

    private Ledger ledger() {
        if (ledger == null) {
            throw new IllegalStateException("there is no zygote yet");
        }
        return ledger;
    }

    Outcome launch(Launch launch, OptionalLong deadline) throws IOException {
        int unanswered = 0;
        for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
            var process = process();
            var outcome = attempt(launch, process, deadline);
            if (outcome.isPresent()) {
                return outcome.get();
            }
            synchronized (this) {
                if (current == process && !process.hasEnded() && ++unanswered == MOST_UNANSWERED) {
                    throw new LinuxException(Errno.ENFILE, "recvmsg(the zygote's socket, SCM_RIGHTS)");
                }
            }
            renew(process);
        }
        throw new LinuxException(
                Errno.ESRCH, "clone by the zygote, which was killed " + MOST_ATTEMPTS + " times meanwhile");
    }

    /** {@return how many pidfds a zygote may have, which raises its limit to the hard one, as it has it from this JVM} */
    private static long mostHeld() throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var limits = arena.allocate(JAVA_LONG, 2);
            long result = Native.call(Syscall.PRLIMIT64, 0, ZygoteProgram.RLIMIT_NOFILE, 0, limits.address(), 0, 0);
            if (Native.failed(result)) {
                throw new LinuxException(Native.errno(result), "prlimit64(0, RLIMIT_NOFILE, NULL)");
            }
            long hard = limits.getAtIndex(JAVA_LONG, 1);
            return hard < 0 ? Long.MAX_VALUE : hard - ZygoteProgram.FIRST_PLACE;
        }
    }

    /** Launches from this JVM itself; the child tells the zygote of itself. */
    Outcome launchDirectly(Launch launch) throws IOException {
        while (true) {
            var process = process();
            var socket = process.copyOfSocket();
            if (socket.isEmpty()) {
                renew(process);
                continue;
            }
            var place = reserve();
            boolean guarded = false;
            try (var copy = socket.get()) {
                if (place.number >= mostHeld()) {
                    // Others have the kernel end them with this JVM; of such a one nobody else would know.
                    throw new LinuxException(
                            Errno.EMFILE,
                            "dup3(<pidfd>, " + (ZygoteProgram.FIRST_PLACE + place.number)
                                    + ") by the zygote, which ends the"
                                    + " child with this JVM; raise the hard limit of open files (ulimit -Hn)");
                }
                var values = new HashMap<>(launch.descriptors());
                values.put(SyscallProgram.ZYGOTE, copy.number());
                values.put(SyscallProgram.PLACE, place.number);
                var outcome = direct.launch(launch.program(), launch.flags(), launch.cgroup(), values);
                if (outcome instanceof Outcome.Child(int pid, Fd pidfd, var _, var _)) {
                    guardOrKill(process, null, place, pidfd);
                    guarded = true;
                    return Outcome.Child.running(pid, pidfd, place);
                }
                return outcome;
            } finally {
                if (!guarded) {
                    place.end();
                }
            }
        }
    }

    /** {@return the outcome; empty if nothing was cloned} */
    @SuppressWarnings("try") // The child's end of the socket is closed here as soon as the child has it.
    private Optional<Outcome> attempt(Launch launch, ZygoteProcess process, OptionalLong deadline) throws IOException {
        var place = reserve();
        boolean guarded = false;
        boolean kept = false;
        var pair = Sockets.pair();
        try (var far = pair.far()) {
            var talk = new Talk(pair.near(), launch, new Asked(process, place), deadline);
            if (!new ZygoteRequest(launch, place.number, memories).send(process, far)) {
                return Optional.empty();
            }
            far.close();
            var outcome = talk.outcome();
            if (outcome.isPresent() && outcome.get() instanceof Outcome.Child(int pid, Fd pidfd, var _, var _)) {
                guardOrKill(process, talk.hasForked() ? null : process, place, pidfd);
                guarded = true;
                kept = talk.isWaiting();
                return Optional.of(new Outcome.Child(
                        pid,
                        pidfd,
                        place,
                        kept ? Optional.of(new Waiting(pair.near(), pid, pidfd, place, memories)) : Optional.empty()));
            }
            return outcome;
        } finally {
            if (!kept) {
                pair.near().close();
            }
            if (!guarded) {
                place.end();
            }
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        keeper.later(this::endHere);
        keeper.close();
    }

    private synchronized void endHere() {
        if (death != null) {
            death.end();
            death = null;
        }
        if (current != null) {
            var process = current;
            current = null;
            try {
                process.end();
            } catch (LinuxException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
        if (ledger != null) {
            ledger.close();
            ledger = null;
        }
    }
}
