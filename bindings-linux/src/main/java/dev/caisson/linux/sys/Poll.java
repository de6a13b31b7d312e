// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Waits in the kernel until a single descriptor is ready (ppoll(2)): for short waits, which no interrupt ends. Events are those of
 * {@link Epoll}, whose numbers are the same. Keeps the memory for many waits; of one thread.
 */
public final class Poll {
    private static final long SECOND = 1_000_000_000;

    private final MemorySegment pollfd;
    private final MemorySegment timespec;

    /** @param arena what the memory lives as long as */
    public Poll(Arena arena) {
        this.pollfd = arena.allocate(JAVA_INT, 2);
        this.timespec = arena.allocate(JAVA_LONG, 2);
    }

    /**
     * {@return what it is ready for, errors and a hang-up included; 0 if nothing is, or a signal came}
     *
     * @param events what to wait for; 0: errors and a hang-up alone
     * @param nanos at most
     */
    public int await(Fd fd, int events, long nanos) throws LinuxException {
        pollfd.setAtIndex(JAVA_INT, 0, fd.number());
        pollfd.setAtIndex(JAVA_INT, 1, events);
        timespec.setAtIndex(JAVA_LONG, 0, nanos / SECOND);
        timespec.setAtIndex(JAVA_LONG, 1, nanos % SECOND);
        long ready = Native.call(Syscall.PPOLL, pollfd.address(), 1, timespec.address(), 0, 0, 0);
        if (Native.failed(ready) && ready != -Errno.EINTR.code()) {
            throw new LinuxException(Native.errno(ready), "ppoll(" + fd + ")");
        }
        // Two halves of a word: what is asked for, and what there is.
        return ready == 1 ? pollfd.getAtIndex(JAVA_INT, 1) >>> Short.SIZE : 0;
    }

    /** {@return whether it is ready, or has an error or a hang-up, within some time} For a single wait. */
    public static boolean isReady(Fd fd, int events, long nanos) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            return new Poll(arena).await(fd, events, nanos) != 0;
        }
    }
}
