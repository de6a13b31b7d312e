// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.notify;

import static dev.caisson.linux.flag.OpenFlags.O_CLOEXEC;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Epoll;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Native;
import dev.caisson.linux.sys.Poll;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The descriptor that NEW_LISTENER gave, and its ioctls (linux/seccomp.h). It is closed when its owner and the last thread
 * that uses it have let go, so that no ioctl ever meets a number that means another file by then.
 *
 * <pre>
 *   struct seccomp_notif         id u64, pid u32, flags u32, then struct seccomp_data     80 bytes
 *   struct seccomp_notif_resp    id u64, val s64, error s32, flags u32                    24 bytes
 *   struct seccomp_notif_addfd   id u64, flags u32, srcfd u32, newfd u32, newfd_flags u32 24 bytes
 * </pre>
 */
final class NotifyFd {
    static final int NOTIF_ID = 0;
    static final int NOTIF_PID = 8;
    static final int NOTIF_DATA = 16;

    private static final long RECV = 0xc050_2100L;
    private static final long SEND = 0xc018_2101L;
    private static final long ID_VALID = 0x4008_2102L;
    private static final long ADDFD = 0x4018_2103L;
    private static final long SET_FLAGS = 0x4008_2104L;
    private static final long SYNC_WAKE_UP = 1;
    private static final int FLAG_CONTINUE = 1;
    private static final int ADDFD_SETFD = 1;
    private static final int ADDFD_SEND = 2;
    private static final int RESPONSE_VALUE = 8;
    private static final int RESPONSE_ERROR = 16;
    private static final int RESPONSE_FLAGS = 20;
    private static final int ADDFD_SIZE = 24;

    private final Fd fd;
    private final NotificationSizes sizes;

    /** The owner and the threads that use it. */
    private final AtomicInteger holders = new AtomicInteger(1);

    NotifyFd(Fd fd, NotificationSizes sizes) {
        this.fd = fd;
        this.sizes = sizes;
        // A caller on the same processor then runs at once (Linux 6.6); older kernels say EINVAL, and all is as before.
        var _ = Native.call(Syscall.IOCTL, fd.number(), SET_FLAGS, SYNC_WAKE_UP);
    }

    Fd fd() {
        return fd;
    }

    /** {@return false if the owner has let go} */
    boolean hold() {
        int now;
        do {
            now = holders.get();
            if (now == 0) {
                return false;
            }
        } while (!holders.compareAndSet(now, now + 1));
        return true;
    }

    void letGo() {
        if (holders.decrementAndGet() == 0) {
            fd.close();
        }
    }

    /** Memory of one thread for receiving and answering. */
    final class Wire implements AutoCloseable {
        private final Arena arena = Arena.ofConfined();
        private final MemorySegment notif = arena.allocate(sizes.notif(), Long.BYTES);
        private final MemorySegment response = arena.allocate(sizes.response(), Long.BYTES);
        private final Poll poll = new Poll(arena);

        /** What there is after a wait. */
        enum Ready {
            CALL,
            NOTHING,
            /** Nobody is left who could call. */
            END
        }

        Ready await(long nanos) throws LinuxException {
            int events = poll.await(fd, Epoll.IN, nanos);
            if ((events & Epoll.IN) != 0) {
                return Ready.CALL;
            }
            return (events & (Epoll.HUP | Epoll.ERR)) != 0 ? Ready.END : Ready.NOTHING;
        }

        /**
         * {@return the struct of a waiting call, valid until the next; null if the caller is gone already}
         *
         * <p>Does not wait after {@link #await}: the kernel counts the calls, also those of callers who went away.
         */
        @org.jspecify.annotations.Nullable
        MemorySegment receive() throws LinuxException {
            while (true) {
                notif.fill((byte) 0); // Else EINVAL.
                long result = Native.call(Syscall.IOCTL, fd.number(), RECV, notif.address());
                if (!Native.failed(result)) {
                    return notif;
                }
                if (result == -Errno.ENOENT.code()) {
                    return null;
                }
                if (result != -Errno.EINTR.code()) {
                    throw new LinuxException(Native.errno(result), "ioctl(" + fd + ", SECCOMP_IOCTL_NOTIF_RECV)");
                }
            }
        }

        void answer(long id, long value, int errno, boolean proceed) throws LinuxException {
            send(response, id, value, errno, proceed);
        }

        @Override
        public void close() {
            arena.close();
        }
    }

    /** Answers from any thread. That nobody waits for the answer any more is not an error. */
    void answer(long id, long value, int errno, boolean proceed) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            send(arena.allocate(sizes.response(), Long.BYTES), id, value, errno, proceed);
        }
    }

    private void send(MemorySegment response, long id, long value, int errno, boolean proceed) throws LinuxException {
        response.set(JAVA_LONG, 0, id);
        response.set(JAVA_LONG, RESPONSE_VALUE, value);
        response.set(JAVA_INT, RESPONSE_ERROR, -errno);
        response.set(JAVA_INT, RESPONSE_FLAGS, proceed ? FLAG_CONTINUE : 0);
        long result;
        do {
            result = Native.call(Syscall.IOCTL, fd.number(), SEND, response.address());
        } while (result == -Errno.EINTR.code());
        if (Native.failed(result) && result != -Errno.ENOENT.code()) {
            throw new LinuxException(
                    Native.errno(result),
                    "ioctl(" + fd + ", SECCOMP_IOCTL_NOTIF_SEND, {val=" + value + ", error=" + -errno + ", flags="
                            + (proceed ? "SECCOMP_USER_NOTIF_FLAG_CONTINUE" : "0") + "})");
        }
    }

    /** {@return whether the caller still waits for the answer to a call} */
    boolean isValid(long id) {
        try (var arena = Arena.ofConfined()) {
            long result = Native.call(
                    Syscall.IOCTL,
                    fd.number(),
                    ID_VALID,
                    arena.allocateFrom(JAVA_LONG, id).address());
            return result == 0;
        }
    }

    /**
     * Gives the caller a copy of a descriptor.
     *
     * @param answering whether its number is the answer as well, SECCOMP_ADDFD_FLAG_SEND
     * @return the number, or -ENOENT if the caller is gone
     */
    long add(long id, Fd source, OptionalInt number, boolean closeOnExec, boolean answering) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var addfd = arena.allocate(ADDFD_SIZE, Long.BYTES);
            addfd.set(JAVA_LONG, 0, id);
            addfd.set(JAVA_INT, 8, (number.isPresent() ? ADDFD_SETFD : 0) | (answering ? ADDFD_SEND : 0));
            addfd.set(JAVA_INT, 12, source.number());
            addfd.set(JAVA_INT, 16, number.orElse(0));
            addfd.set(JAVA_INT, 20, closeOnExec ? O_CLOEXEC : 0);
            long result;
            do {
                result = Native.call(Syscall.IOCTL, fd.number(), ADDFD, addfd.address());
            } while (result == -Errno.EINTR.code());
            if (result == -Errno.EINVAL.code() && answering) {
                // Before Linux 5.14: one after the other.
                result = add(id, source, number, closeOnExec, false);
                if (result >= 0) {
                    answer(id, result, 0, false);
                }
                return result;
            }
            if (Native.failed(result) && result != -Errno.ENOENT.code()) {
                throw new LinuxException(
                        Native.errno(result), "ioctl(" + fd + ", SECCOMP_IOCTL_NOTIF_ADDFD, {srcfd=" + source + "})");
            }
            return result;
        }
    }
}
