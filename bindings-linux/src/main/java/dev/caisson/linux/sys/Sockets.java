// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static dev.caisson.linux.flag.MessageFlags.MSG_CMSG_CLOEXEC;
import static dev.caisson.linux.flag.MessageFlags.MSG_CTRUNC;
import static dev.caisson.linux.flag.MessageFlags.MSG_NOSIGNAL;
import static dev.caisson.linux.flag.MessageFlags.MSG_PEEK;
import static dev.caisson.linux.flag.MessageFlags.MSG_WAITALL;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.flag.MessageFlags;
import dev.caisson.linux.flag.SocketTypes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Unix sockets between this process and its children. */
public final class Sockets {
    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM_CLOEXEC = SocketTypes.SOCK_STREAM | SocketTypes.SOCK_CLOEXEC;
    private static final int SOCK_SEQPACKET_CLOEXEC = SocketTypes.SOCK_SEQPACKET | SocketTypes.SOCK_CLOEXEC;
    private static final int SO_RCVTIMEO = 20;
    private static final int SO_SNDTIMEO = 21;
    private static final int SHUT_RDWR = 2;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;
    private static final int CMSG_HEADER = 16;
    private static final int RECEIVE_AT_ONCE = MessageFlags.MSG_DONTWAIT | MessageFlags.MSG_CMSG_CLOEXEC;

    private static final int SO_PASSCRED = 16;
    private static final int SCM_CREDENTIALS = 2;

    /** One descriptor, padded, and a {@code struct ucred}, padded. */
    private static final int CONTROL_SPACE = CMSG_HEADER + 8 + CMSG_HEADER + 16;

    private Sockets() {}

    /** Two connected stream sockets; both descriptors are close-on-exec. */
    public record Pair(Fd near, Fd far) implements AutoCloseable {
        @Override
        public void close() {
            near.close();
            far.close();
        }
    }

    public static Pair pair() throws LinuxException {
        return pair(SOCK_STREAM_CLOEXEC, "SOCK_STREAM");
    }

    /** {@return two connected sockets of messages that arrive whole or not at all} Both are close-on-exec. */
    public static Pair messagePair() throws LinuxException {
        return pair(SOCK_SEQPACKET_CLOEXEC, "SOCK_SEQPACKET");
    }

    private static Pair pair(int type, String name) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var fds = arena.allocate(JAVA_INT, 2);
            long result = Native.call(Syscall.SOCKETPAIR, AF_UNIX, type, 0, fds.address(), 0, 0);
            if (Native.failed(result)) {
                throw new LinuxException(Native.errno(result), "socketpair(AF_UNIX, " + name + "|SOCK_CLOEXEC, 0)");
            }
            return new Pair(Fd.owning(fds.getAtIndex(JAVA_INT, 0)), Fd.owning(fds.getAtIndex(JAVA_INT, 1)));
        }
    }

    /**
     * {@return the descriptors that came with one message (SCM_RIGHTS); none if there is no message} Does not wait.
     *
     * @param most how many are expected; more than these are closed by the kernel
     */
    public static List<Fd> receive(Fd socket, int most) throws LinuxException {
        return receive(socket, most, RECEIVE_AT_ONCE);
    }

    /** {@return copies of the descriptors that came with one message, which stays where it is} Else as {@link #receive}. */
    public static List<Fd> peek(Fd socket, int most) throws LinuxException {
        return receive(socket, most, RECEIVE_AT_ONCE | MSG_PEEK);
    }

    private static List<Fd> receive(Fd socket, int most, int flags) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var control = arena.allocate(CMSG_HEADER + 4L * most + 4, Long.BYTES);
            var message = new MessageHeader(arena, arena.allocate(1), control);
            message.controlLength(CMSG_HEADER + 4L * most);
            long result = Native.call(Syscall.RECVMSG, socket.number(), message.address(), flags);
            if (result == -Errno.EAGAIN.code()) {
                return List.of();
            }
            if (Native.failed(result)) {
                throw new LinuxException(Native.errno(result), "recvmsg(" + socket + ")");
            }
            var all = new ArrayList<Fd>();
            if (message.controlLength() >= CMSG_HEADER) {
                for (long at = CMSG_HEADER; at < control.get(JAVA_LONG, 0); at += Integer.BYTES) {
                    all.add(Fd.owning(control.get(JAVA_INT, at)));
                }
            }
            return all;
        }
    }

    /** Lets every message that is received say who sent it (SO_PASSCRED). */
    public static void receiveCredentials(Fd socket) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            long result = Native.call(
                    Syscall.SETSOCKOPT,
                    socket.number(),
                    SOL_SOCKET,
                    SO_PASSCRED,
                    arena.allocateFrom(JAVA_INT, 1).address(),
                    Integer.BYTES,
                    0);
            if (Native.failed(result)) {
                throw new LinuxException(Native.errno(result), "setsockopt(" + socket + ", SO_PASSCRED, 1)");
            }
        }
    }

    /**
     * What came with one message.
     *
     * @param length in bytes; 0 at the end
     * @param descriptor owned by the receiver
     * @param pid of the sender in this process's PID namespace, where {@link #receiveCredentials} asked for it; else 0
     */
    public record Message(int length, Optional<Fd> descriptor, int pid) {}

    /**
     * Waits for a message of a given length, and what came with it.
     *
     * @throws LinuxException EMFILE if there is no number left for a descriptor that came
     */
    public static Message receiveWith(Fd socket, MemorySegment into) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var control = arena.allocate(CONTROL_SPACE, Long.BYTES);
            var message = new MessageHeader(arena, into, control);
            long result;
            do {
                message.controlLength(CONTROL_SPACE);
                result = Native.call(
                        Syscall.RECVMSG, socket.number(), message.address(), MSG_CMSG_CLOEXEC | MSG_WAITALL);
            } while (result == -Errno.EINTR.code());
            if (Native.failed(result)) {
                throw new LinuxException(Native.errno(result), "recvmsg(" + socket + ")");
            }
            if ((message.flags() & MSG_CTRUNC) != 0) {
                // A descriptor was sent, and this process has no number left for it.
                throw new LinuxException(Errno.EMFILE, "recvmsg(" + socket + ", SCM_RIGHTS)");
            }
            return message((int) result, control.asSlice(0, message.controlLength()));
        }
    }

    /** {@code struct cmsghdr}: +0 the length, +8 the level, +12 the type, +16 the data, padded to 8 bytes. */
    private static Message message(int length, MemorySegment control) {
        var descriptor = Optional.<Fd>empty();
        int pid = 0;
        long at = 0;
        while (at + CMSG_HEADER < control.byteSize()) {
            long size = control.get(JAVA_LONG, at);
            switch (control.get(JAVA_INT, at + 12)) {
                case SCM_RIGHTS -> descriptor = Optional.of(Fd.owning(control.get(JAVA_INT, at + CMSG_HEADER)));
                case SCM_CREDENTIALS -> pid = control.get(JAVA_INT, at + CMSG_HEADER);
                default -> {}
            }
            at += size + 7 & -8;
        }
        return new Message(length, descriptor, pid);
    }

    /** {@return whether the other end has closed, found out within some time at most} What there is to read is left. */
    public static boolean hasEnded(Fd socket, long nanos) throws LinuxException {
        return Poll.isReady(socket, 0, nanos);
    }

    /** Lets a reader of this end wait no longer than some time, and then get EAGAIN (SO_RCVTIMEO). */
    public static void receiveWithin(Fd socket, long micros) throws LinuxException {
        patience(socket, SO_RCVTIMEO, "SO_RCVTIMEO", micros);
    }

    /** Lets a writer of this end wait no longer than some time, and then get EAGAIN (SO_SNDTIMEO). */
    public static void sendWithin(Fd socket, long micros) throws LinuxException {
        patience(socket, SO_SNDTIMEO, "SO_SNDTIMEO", micros);
    }

    private static void patience(Fd socket, int option, String name, long micros) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var timeval = arena.allocate(JAVA_LONG, 2);
            timeval.setAtIndex(JAVA_LONG, 0, micros / 1_000_000);
            timeval.setAtIndex(JAVA_LONG, 1, micros % 1_000_000);
            long result = Native.call(
                    Syscall.SETSOCKOPT, socket.number(), SOL_SOCKET, option, timeval.address(), timeval.byteSize(), 0);
            if (Native.failed(result)) {
                throw new LinuxException(Native.errno(result), "setsockopt(" + socket + ", " + name + ")");
            }
        }
    }

    /**
     * Sends one message and, with it, descriptors (SCM_RIGHTS); waits while the other side has much to read, as long as
     * {@link #sendWithin} allows.
     *
     * @return 0, or {@code -errno}
     */
    public static long send(Fd socket, MemorySegment message, int[] descriptors) {
        try (var arena = Arena.ofConfined()) {
            long length = CMSG_HEADER + (long) descriptors.length * Integer.BYTES;
            var control = arena.allocate(length + 7 & -8, Long.BYTES);
            control.set(JAVA_LONG, 0, length);
            control.set(JAVA_INT, 8, SOL_SOCKET);
            control.set(JAVA_INT, 12, SCM_RIGHTS);
            MemorySegment.copy(descriptors, 0, control, JAVA_INT, CMSG_HEADER, descriptors.length);
            var header = new MessageHeader(arena, message, control);
            long result;
            do {
                result = Native.call(Syscall.SENDMSG, socket.number(), header.address(), MSG_NOSIGNAL);
            } while (result == -Errno.EINTR.code());
            return Math.min(result, 0);
        }
    }

    /**
     * Waits for as many bytes as fit, for the end, or as long as {@link #receiveWithin} allows.
     *
     * @return how many came, 0 at the end, or {@code -errno}
     */
    public static int receive(Fd socket, MemorySegment into) {
        long result;
        do {
            result = Native.call(Syscall.RECVFROM, socket.number(), into.address(), into.byteSize(), MSG_WAITALL, 0, 0);
        } while (result == -Errno.EINTR.code());
        return (int) result;
    }

    /** Ends the connection: a thread that reads either end sees end of file. */
    public static void shutdown(Fd socket) {
        var _ = Native.call(Syscall.SHUTDOWN, socket.number(), SHUT_RDWR, 0);
    }
}
