// SPDX-License-Identifier: Apache-2.0
package dev.caisson.supervise;

import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Poller;
import dev.caisson.process.PipeOutput;
import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/** What a detached container reads; the pipe is the supervisor's, which gives a copy to whoever writes first. */
public final class SupervisedInput extends OutputStream {
    private final Supervised container;
    private final Poller poller;
    private @Nullable PipeOutput pipe;
    private boolean closed;

    public SupervisedInput(Supervised container, Poller poller) {
        this.container = container;
        this.poller = poller;
    }

    private synchronized PipeOutput pipe() throws IOException {
        if (closed) {
            throw new IOException("the stream is closed");
        }
        if (pipe == null) {
            Fd input = container
                    .input()
                    .orElseThrow(
                            () -> new IOException("the container has no input: it has ended, its input was closed, or"
                                    + " its stdin is not Stdio.pipe()"));
            pipe = new PipeOutput(input, poller);
        }
        return pipe;
    }

    @Override
    public void write(int b) throws IOException {
        pipe().write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        pipe().write(bytes, offset, length);
    }

    /** The command sees the end of its input, unless another JVM holds it open, too. */
    @Override
    public void close() throws IOException {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            if (pipe != null) {
                pipe.close();
            }
        }
        container.closeInput();
    }

    /** Lets go of it without an end for the command. */
    public synchronized void letGo() {
        closed = true;
        if (pipe != null) {
            pipe.close();
        }
    }
}
