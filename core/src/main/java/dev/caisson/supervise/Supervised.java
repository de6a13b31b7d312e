// SPDX-License-Identifier: Apache-2.0
package dev.caisson.supervise;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.sys.Epoll;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Poller;
import dev.caisson.linux.sys.Processes;
import dev.caisson.supervise.Attachment.Event;
import dev.caisson.supervise.Attachment.Operation;
import dev.caisson.supervise.Attachment.Thing;
import dev.caisson.supervise.Attachment.Told;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A detached container as this JVM sees it while it is attached: told of what happens by the supervisor, and of the end by what
 * that recorded before it went. Thread-safe.
 */
public final class Supervised implements AutoCloseable {
    /** Something written between a look and the question is told by nobody. */
    private static final long MOST_WAIT_MILLIS = 100;

    private final StateDirectory.Known known;
    private final Attachment attachment;
    private final CompletableFuture<Status> end = new CompletableFuture<>();
    private @Nullable Fd connection;
    private Poller.@Nullable Watch watch;
    private @Nullable Fd pidfd;
    private int pid;
    private long happened;
    private boolean closed;

    private Supervised(StateDirectory.Known known) {
        this.known = known;
        this.attachment = new Attachment(known.path());
    }

    /** {@return a container, attached; one that has ended is, too, and does nothing any more} */
    public static Supervised attach(StateDirectory.Known known, Poller poller) throws IOException {
        var supervised = new Supervised(known);
        boolean done = false;
        try {
            supervised.begin(poller);
            done = true;
            return supervised;
        } finally {
            if (!done) {
                supervised.close();
            }
        }
    }

    private synchronized void begin(Poller poller) throws IOException {
        pid = known.status().map(Status::pid).orElse(0);
        var socket = attachment.connect();
        if (socket.isPresent()) {
            connection = socket.get();
            var told = Attachment.ask(connection, Operation.HELLO, 1);
            if (told.isPresent()) {
                take(told.get());
                watch = poller.watch(connection, Epoll.IN, this::happens);
                return;
            }
        }
        gone();
    }

    private void take(Told told) {
        if (told.pid() != 0) {
            pid = told.pid();
        }
        told.descriptor().ifPresent(fd -> {
            if (pidfd != null) {
                pidfd.close();
            }
            pidfd = fd;
        });
    }

    /** On the poller's thread: there is something to read, which one call does not wait for. */
    private synchronized void happens() {
        if (connection == null || closed) {
            return;
        }
        try {
            var told = Attachment.receive(connection, false);
            if (told.isEmpty() || told.get().event() == Event.GONE) {
                told.flatMap(Told::descriptor).ifPresent(Fd::close);
                gone();
            } else if (told.get().event() == Event.STARTED) {
                take(told.get());
            } else {
                told.flatMap(Told::descriptor).ifPresent(Fd::close);
            }
        } catch (IOException unreadable) {
            gone();
        }
        happened++;
        notifyAll();
    }

    /** The supervisor has gone: what it recorded is true, or nobody knows. */
    private synchronized void gone() {
        letGo();
        try {
            var last = StateDirectory.status(known.path());
            if (last.filter(s -> s.state() == Status.State.EXITED).isPresent()) {
                end.complete(last.get());
            } else {
                lost();
            }
        } catch (IOException unreadable) {
            lost();
        }
        happened++;
        notifyAll();
    }

    private void lost() {
        String why = known.record().name()
                + " is lost: its supervisor was killed, and the container with it, before its" + " end was recorded";
        end.completeExceptionally(new IOException(why));
    }

    private void letGo() {
        if (watch != null) {
            watch.end();
            watch = null;
        }
        if (connection != null) {
            connection.close();
            connection = null;
        }
        if (pidfd != null) {
            pidfd.close();
            pidfd = null;
        }
    }

    public StateDirectory.Known known() {
        return known;
    }

    /** {@return completes, on any thread, with what was recorded at the end, or with an IOException if that is lost} */
    public CompletableFuture<Status> end() {
        return end;
    }

    /** {@return its number, or the last it had} */
    public synchronized int pid() {
        return pid;
    }

    public boolean isAlive() {
        return !end.isDone();
    }

    /** {@return false if it does not run} */
    public synchronized boolean signal(Signal signal) throws LinuxException {
        return pidfd != null && Processes.signal(pidfd, signal);
    }

    /** {@return a pidfd of PID 1, owned by the caller; empty if it does not run} */
    public synchronized Optional<Fd> process() throws LinuxException {
        return pidfd == null ? Optional.empty() : Optional.of(Files.duplicate(pidfd.number()));
    }

    /** Has it not started again, whatever becomes of it. */
    public void stop() throws IOException {
        attachment.ask(Operation.STOP, 0).flatMap(Told::descriptor).ifPresent(Fd::close);
    }

    /** Kills all that is in it, for good. */
    public void kill() throws IOException {
        attachment.ask(Operation.KILL, 0).flatMap(Told::descriptor).ifPresent(Fd::close);
    }

    /** Lets the command see the end of its input, unless others hold it open. */
    public void closeInput() throws IOException {
        attachment.ask(Operation.CLOSE_INPUT, 0).flatMap(Told::descriptor).ifPresent(Fd::close);
    }

    /** {@return the other end of its input; empty if that is not the supervisor's} */
    public Optional<Fd> input() throws IOException {
        return attachment.fetch(Thing.INPUT);
    }

    /** {@return the socket in which what is kept of its root lies; empty if there is none} */
    public Optional<Fd> kept() throws IOException {
        return attachment.fetch(Thing.KEPT);
    }

    /** {@return a number that changes whenever something happens} */
    public synchronized long happened() {
        return happened;
    }

    /** Waits until something happens that did not when {@link #happened} said {@code seen}: more log, or the end. */
    @SuppressWarnings("WaitNotInLoop") // Who calls it looks again.
    public synchronized void awaitMore(long seen) throws InterruptedException, IOException {
        if (connection != null && happened == seen && !closed) {
            if (!Attachment.send(connection, Operation.FOLLOW, 0)) {
                return;
            }
            long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(MOST_WAIT_MILLIS);
            long left = MOST_WAIT_MILLIS;
            while (connection != null && happened == seen && !closed && left > 0) {
                wait(left);
                left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
            }
        }
    }

    /** Lets go of it; the container goes on. */
    @Override
    public synchronized void close() {
        closed = true;
        letGo();
        notifyAll();
    }
}
