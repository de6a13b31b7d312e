// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Epoll;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Native;
import dev.caisson.linux.sys.Poller;
import dev.caisson.linux.sys.Sockets;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Our end of a pipe, never blocking in the kernel: a thread that must wait is parked until the poller sees the pipe ready.
 * So a virtual thread releases its carrier, an interrupt is heard, and closing wakes whoever waits.
 */
final class PipeEnd implements AutoCloseable {
    private static final int LARGEST_TRANSFER = 65_536;

    /** No pipe holds more, unless root enlarged it. */
    private static final int MOST_REST = 1 << 20;

    private final Fd fd;
    private final int interest;
    private final Poller poller;
    private final ReentrantLock transfers = new ReentrantLock();
    private final Semaphore ready = new Semaphore(0);
    private volatile boolean closed;
    private volatile boolean ended;
    private volatile boolean restTaken;
    private byte[] rest = {};
    private int restRead;
    private boolean endOfFile;

    /** Waits until the last writer beyond the command's end is gone. */
    private Poller.@Nullable Watch lastWriter;

    PipeEnd(Fd fd, int interest, Poller poller) {
        this.fd = fd;
        this.interest = interest | Epoll.ONESHOT;
        this.poller = poller;
    }

    /** {@return the number of bytes transferred; 0 when reading means end of file} */
    int transfer(Syscall syscall, byte[] bytes, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        transfers.lock();
        try (var arena = Arena.ofConfined()) {
            if (!closed && (endOfFile || restRead < rest.length)) {
                return fromRest(bytes, offset, length);
            }
            int chunk = Math.min(length, LARGEST_TRANSFER);
            var buffer = arena.allocate(Math.max(1, chunk));
            if (syscall == Syscall.WRITE) {
                MemorySegment.copy(bytes, offset, buffer, ValueLayout.JAVA_BYTE, 0, chunk);
            }
            while (true) {
                if (closed) {
                    throw new IOException("stream closed");
                }
                long result = Native.call(syscall, fd.number(), buffer.address(), chunk);
                if (!Native.failed(result)) {
                    if (syscall == Syscall.READ) {
                        MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, bytes, offset, (int) result);
                    }
                    return (int) result;
                }
                if (result == -Errno.EIO.code() && syscall == Syscall.READ) {
                    return 0; // Of a terminal that nobody has open any more; pipes never say it.
                }
                if (result == -Errno.EAGAIN.code() && syscall == Syscall.WRITE && Sockets.hasEnded(fd, 0)) {
                    // Of a terminal that nobody has open the kernel takes what has room, and never makes any.
                    throw new LinuxException(Errno.EIO, "write(" + fd + ", " + chunk + ")");
                }
                if (result == -Errno.EAGAIN.code()) {
                    await();
                } else if (result != -Errno.EINTR.code()) {
                    throw new LinuxException(
                            Native.errno(result), syscall.kernelName() + "(" + fd + ", " + chunk + ")");
                }
            }
        } finally {
            restTaken = false;
            transfers.unlock();
            settle();
        }
    }

    /**
     * Does what the end of the command or closing asks for, unless a transfer is under way, which does it afterwards. Asked
     * again after each unlock: whoever came meanwhile went away.
     */
    private void settle() {
        while (fd.isOpen() && (closed || ended && !restTaken) && transfers.tryLock()) {
            try {
                if (closed) {
                    release();
                } else {
                    takeRest();
                }
            } finally {
                transfers.unlock();
            }
        }
    }

    private void release() {
        stopWaiting();
        fd.close();
    }

    private void stopWaiting() {
        if (lastWriter != null) {
            lastWriter.end();
            lastWriter = null;
        }
    }

    private int fromRest(byte[] bytes, int offset, int length) {
        int count = Math.min(length, rest.length - restRead);
        System.arraycopy(rest, restRead, bytes, offset, count);
        restRead += count;
        return count;
    }

    /**
     * The command has ended: what it wrote and nobody has read yet is kept in memory, and the descriptor let go, so that a
     * container that nobody closes holds none. A pipe that somebody else has still open for writing stays open until they
     * close it: a process beyond the command's end, or a child of another launch that has not reached its execve yet.
     */
    void ended() {
        restTaken = false;
        ended = true;
        settle();
    }

    private void takeRest() {
        restTaken = true;
        if (endOfFile || closed) {
            return;
        }
        var more = new ByteArrayOutputStream();
        more.write(rest, restRead, rest.length - restRead);
        try (var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(LARGEST_TRANSFER);
            long result = 1;
            while ((result > 0 || result == -Errno.EINTR.code()) && more.size() < MOST_REST) {
                result = Native.call(Syscall.READ, fd.number(), buffer.address(), LARGEST_TRANSFER);
                if (result > 0) {
                    more.writeBytes(buffer.asSlice(0, result).toArray(ValueLayout.JAVA_BYTE));
                }
            }
            endOfFile = result == 0 || result == -Errno.EIO.code();
        }
        rest = more.toByteArray();
        restRead = 0;
        if (endOfFile) {
            release();
        } else if (more.size() >= MOST_REST) {
            stopWaiting();
        } else if (lastWriter == null) {
            awaitLastWriter();
        }
    }

    /** Nothing is of interest but the end of file, which epoll always tells. */
    private void awaitLastWriter() {
        try {
            lastWriter = poller.watch(fd, 0, this::ended);
        } catch (LinuxException | IllegalStateException refusedOrShutDown) {
            // The descriptor is held until the stream is closed.
        }
    }

    private void await() throws IOException {
        ready.drainPermits();
        stopWaiting();
        var watch = poller.watch(fd, interest, ready::release);
        try {
            if (!closed) {
                ready.acquire();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for the container's stream");
        } finally {
            watch.end();
        }
    }

    /** Whoever is in a transfer is woken and closes the descriptor itself: its number must not change hands under it. */
    @Override
    public void close() {
        closed = true;
        ready.release();
        settle();
    }
}
