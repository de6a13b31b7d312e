// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Native;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.LockSupport;

/** What a command writes, written to a file, or to a stream of this JVM. Owns the descriptor. */
final class FileOutput implements Sink {
    private static final long PAUSE_NANOS = 2_000_000;

    private final String name;
    private final Fd fd;

    FileOutput(String name, Fd fd) {
        this.name = name;
        this.fd = fd;
    }

    @Override
    public void take(MemorySegment bytes) throws SinkException {
        long done = 0;
        while (done < bytes.byteSize()) {
            long result = Native.call(Syscall.WRITE, fd.number(), bytes.address() + done, bytes.byteSize() - done);
            if (!Native.failed(result)) {
                done += result;
            } else if (result == -Errno.EAGAIN.code() && !Thread.currentThread().isInterrupted()) {
                // A socket that somebody made non-blocking: it is shared, and not ours to change.
                LockSupport.parkNanos(PAUSE_NANOS);
            } else if (result != -Errno.EINTR.code()) {
                throw new SinkException(
                        "writing to " + name + " failed",
                        new dev.caisson.linux.LinuxException(
                                Native.errno(result), "write(" + name + ", " + (bytes.byteSize() - done) + ")"));
            }
        }
    }

    @Override
    public void close() {
        fd.close();
    }
}
