// SPDX-License-Identifier: Apache-2.0
package dev.caisson.supervise;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.MessageFlags;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.LocalSockets;
import dev.caisson.linux.sys.Native;
import dev.caisson.linux.sys.Sockets;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Talks to a supervisor by the protocol of control.c: a question and its answer each on a connection of their own, and one on
 * which it tells what happens. Thread-safe.
 */
final class Attachment {
    private static final int QUESTION_SIZE = 8;
    private static final int REPLY_SIZE = 72;
    private static final int EVENT = 0;
    private static final int RESULT = 8;
    private static final int PID = 12;
    private static final int RESTARTS = 24;
    private static final int HAS = 64;

    /** A supervisor answers at once; one that somebody has stopped never does. */
    private static final long PATIENCE_MICROS = 10_000_000;

    private final Path directory;

    /** What is asked, by the numbers of control.c. */
    enum Operation {
        NONE,
        HELLO,
        STOP,
        KILL,
        CLOSE_INPUT,
        FETCH,
        FOLLOW
    }

    /** What is told, by the numbers of shim.h. */
    enum Event {
        NONE,
        REPLY,
        LOGGED,
        ENDED,
        STARTED,
        GONE
    }

    /** A descriptor that may be fetched, by the order of {@code enum given}; the pidfd comes behind. */
    enum Thing {
        INPUT(3),
        KEPT(5),
        PIDFD(8);

        private final int number;

        Thing(int number) {
            this.number = number;
        }
    }

    /**
     * What was told.
     *
     * @param descriptor that came along, owned by the receiver
     */
    record Told(Event event, int result, int pid, int restarts, int has, Optional<Fd> descriptor) {
        boolean has(Thing thing) {
            return (has & 1 << thing.number) != 0;
        }
    }

    Attachment(Path directory) {
        this.directory = directory;
    }

    /** {@return a connection; empty if there is no supervisor any more} */
    Optional<Fd> connect() throws IOException {
        try (var fd = Files.open(HostPath.of(directory), OpenFlags.O_DIRECTORY, 0)) {
            return Optional.of(LocalSockets.connect(fd, StateDirectory.SOCKET, PATIENCE_MICROS));
        } catch (LinuxException refused) {
            if (refused.errno().equals(Errno.ENOENT) || refused.errno().equals(Errno.ECONNREFUSED)) {
                return Optional.empty();
            }
            throw refused.errno().equals(Errno.EAGAIN) ? silent(refused) : refused;
        }
    }

    private static IOException silent(LinuxException cause) {
        return new IOException(
                "the supervisor of the container does not answer; it is stopped, or as many"
                        + " JVMs as it can serve are attached",
                cause);
    }

    /** {@return the answer to a question; empty if there is no supervisor any more} */
    Optional<Told> ask(Operation operation, int argument) throws IOException {
        var connection = connect();
        if (connection.isEmpty()) {
            return Optional.empty();
        }
        try (var socket = connection.get()) {
            return ask(socket, operation, argument);
        }
    }

    Optional<Fd> fetch(Thing thing) throws IOException {
        return ask(Operation.FETCH, thing.number).flatMap(Told::descriptor);
    }

    static Optional<Told> ask(Fd socket, Operation operation, int argument) throws IOException {
        if (!send(socket, operation, argument)) {
            return Optional.empty();
        }
        while (true) {
            var told = receive(socket, true);
            if (told.isEmpty() || told.get().event() == Event.REPLY) {
                return told;
            }
            told.get().descriptor().ifPresent(Fd::close); // Something happened meanwhile; the answer comes.
        }
    }

    /** {@return false if there is no supervisor any more} */
    static boolean send(Fd socket, Operation operation, int argument) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var question = arena.allocate(QUESTION_SIZE, Integer.BYTES);
            question.set(JAVA_INT, 0, operation.ordinal());
            question.set(JAVA_INT, Integer.BYTES, argument);
            long result = Native.call(
                    Syscall.SENDTO,
                    socket.number(),
                    question.address(),
                    QUESTION_SIZE,
                    MessageFlags.MSG_NOSIGNAL | MessageFlags.MSG_DONTWAIT,
                    0,
                    0);
            if (result == -Errno.EPIPE.code() || result == -Errno.ECONNRESET.code()) {
                return false;
            }
            // A supervisor that somebody has stopped has as many unread as there may be; whoever awaits an answer is
            // told so.
            if (Native.failed(result) && result != -Errno.EAGAIN.code()) {
                throw new LinuxException(Native.errno(result), "sendto(" + socket + ", " + operation + ")");
            }
            return true;
        }
    }

    /**
     * {@return what it says next; empty at its end}
     *
     * @param patient whether to wait for it
     */
    static Optional<Told> receive(Fd socket, boolean patient) throws IOException {
        try (var arena = Arena.ofConfined()) {
            var reply = arena.allocate(REPLY_SIZE, Long.BYTES);
            Sockets.Message message;
            try {
                message = Sockets.receiveWith(socket, reply);
            } catch (LinuxException failed) {
                if (failed.errno().equals(Errno.ECONNRESET)) {
                    return Optional.empty();
                }
                if (patient && failed.errno().equals(Errno.EAGAIN)) {
                    throw silent(failed);
                }
                throw failed;
            }
            return message.length() < REPLY_SIZE ? Optional.empty() : Optional.of(told(reply, message));
        }
    }

    private static Told told(MemorySegment reply, Sockets.Message message) {
        int event = reply.get(JAVA_INT, EVENT);
        return new Told(
                event > 0 && event < Event.values().length ? Event.values()[event] : Event.NONE,
                reply.get(JAVA_INT, RESULT),
                reply.get(JAVA_INT, PID),
                reply.get(JAVA_INT, RESTARTS),
                reply.get(JAVA_INT, HAS),
                message.descriptor());
    }
}
