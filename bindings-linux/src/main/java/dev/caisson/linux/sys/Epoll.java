// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static dev.caisson.linux.flag.DescriptorCommands.EPOLL_CLOEXEC;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** An epoll instance (epoll(7)) and the eventfd that wakes its waiter. Thread-safe, but for {@link #await}. */
public final class Epoll implements AutoCloseable {
    public static final int IN = 0x1;
    /** A control file has changed, or a pressure trigger fired. */
    public static final int PRI = 0x2;

    public static final int OUT = 0x4;
    public static final int ERR = 0x8;
    public static final int HUP = 0x10;
    public static final int ONESHOT = 1 << 30;

    private static final int ADD = 1;
    private static final int DEL = 2;
    private static final int MOST_EVENTS = 256;
    private static final long WAKE = 0;

    // struct epoll_event is packed on x86-64 and nowhere else.
    private static final boolean PACKED = Arch.host() == Arch.X86_64;
    private static final int EVENT_SIZE = PACKED ? 12 : 16;
    private static final int DATA = PACKED ? 4 : 8;

    private final Fd epoll;
    private final Fd wake;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment events = arena.allocate((long) MOST_EVENTS * EVENT_SIZE, Long.BYTES);
    private final MemorySegment counter = arena.allocate(JAVA_LONG);

    private Epoll(Fd epoll, Fd wake) {
        this.epoll = epoll;
        this.wake = wake;
        counter.set(JAVA_LONG, 0, 1);
    }

    public static Epoll create() throws LinuxException {
        var epoll = own(Native.call(Syscall.EPOLL_CREATE1, EPOLL_CLOEXEC), "epoll_create1(EPOLL_CLOEXEC)");
        try {
            var wake = Files.eventCounter();
            var created = new Epoll(epoll, wake);
            created.add(wake, IN, WAKE);
            return created;
        } catch (LinuxException failed) {
            epoll.close();
            throw failed;
        }
    }

    private static Fd own(long result, String call) throws LinuxException {
        if (Native.failed(result)) {
            throw new LinuxException(Native.errno(result), call);
        }
        return Fd.owning(result);
    }

    /**
     * Watches a descriptor.
     *
     * @param data not 0; handed to the {@link Handler} with each event
     */
    public void add(Fd fd, int interest, long data) throws LinuxException {
        try (var scratch = Arena.ofConfined()) {
            var event = scratch.allocate(EVENT_SIZE, Long.BYTES);
            event.set(JAVA_INT_UNALIGNED, 0, interest);
            event.set(JAVA_LONG_UNALIGNED, DATA, data);
            long result = Native.call(Syscall.EPOLL_CTL, epoll.number(), ADD, fd.number(), event.address(), 0, 0);
            if (Native.failed(result)) {
                throw new LinuxException(Native.errno(result), "epoll_ctl(" + epoll + ", EPOLL_CTL_ADD, " + fd + ")");
            }
        }
    }

    /** Stops watching, before the descriptor is closed. What is closed itself watches nothing. */
    public void remove(Fd fd) {
        if (epoll.isOpen()) {
            var _ = Native.call(Syscall.EPOLL_CTL, epoll.number(), DEL, fd.number(), 0, 0, 0);
        }
    }

    /** Makes {@link #await} return. */
    public void wake() {
        var _ = Native.call(Syscall.WRITE, wake.number(), counter.address(), Long.BYTES);
    }

    /** Gets the events of one wait. */
    @FunctionalInterface
    public interface Handler {
        void ready(long data, int events);
    }

    /**
     * Waits for events, on one thread at a time.
     *
     * @param millis how long at most; -1 for ever
     */
    public void await(int millis, Handler handler) throws LinuxException {
        long count = Native.call(Syscall.EPOLL_PWAIT, epoll.number(), events.address(), MOST_EVENTS, millis, 0, 0);
        if (Native.failed(count)) {
            if (count == -Errno.EINTR.code()) {
                return;
            }
            throw new LinuxException(Native.errno(count), "epoll_pwait(" + epoll + ")");
        }
        for (int i = 0; i < count; i++) {
            long at = (long) i * EVENT_SIZE;
            long data = events.get(JAVA_LONG_UNALIGNED, at + DATA);
            if (data == WAKE) {
                drain();
            } else {
                handler.ready(data, events.get(JAVA_INT_UNALIGNED, at));
            }
        }
    }

    private void drain() {
        try (var scratch = Arena.ofConfined()) {
            var _ = Native.call(
                    Syscall.READ, wake.number(), scratch.allocate(JAVA_LONG).address(), Long.BYTES);
        }
    }

    /** To be called when no thread waits any more. */
    @Override
    public void close() {
        wake.close();
        epoll.close();
        arena.close();
    }
}
