// SPDX-License-Identifier: Apache-2.0
package dev.caisson.supervise;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Objects;

/** One stream of a detached container, as its log has it, until the container has ended. One reader at a time. */
public final class LogStream extends InputStream {
    private final LogReader log;
    private final boolean stderr;
    private final Supervised container;
    private byte[] record = new byte[0];
    private int at;
    private volatile boolean closed;

    /** Takes ownership of the reader. */
    public LogStream(LogReader log, boolean stderr, Supervised container) {
        this.log = log;
        this.stderr = stderr;
        this.container = container;
    }

    @Override
    public synchronized int read() throws IOException {
        return fill() ? record[at++] & 0xff : -1;
    }

    @Override
    public synchronized int read(byte[] into, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, into.length);
        if (length == 0) {
            return 0;
        }
        if (!fill()) {
            return -1;
        }
        int count = Math.min(length, record.length - at);
        System.arraycopy(record, at, into, offset, count);
        at += count;
        return count;
    }

    @Override
    public synchronized int available() {
        return record.length - at;
    }

    private boolean fill() throws IOException {
        while (at == record.length) {
            if (closed) {
                throw new IOException("the stream is closed");
            }
            // In this order: what ended has written all it had to.
            boolean ended = !container.isAlive();
            long seen = container.happened();
            var next = log.next();
            if (next.isPresent()) {
                if (next.get().stderr() == stderr) {
                    record = next.get().bytes();
                    at = 0;
                }
            } else if (ended) {
                return false;
            } else {
                awaitMore(seen);
            }
        }
        return true;
    }

    private void awaitMore(long seen) throws IOException {
        try {
            container.awaitMore(seen);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for output");
        }
    }

    @Override
    public void close() {
        closed = true;
        synchronized (log) {
            log.close();
        }
    }
}
