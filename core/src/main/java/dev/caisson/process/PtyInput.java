// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Poller;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What is typed into a terminal, as a stream. A terminal has no end of file of its own: closing this types the character that
 * means it, so that who reads a pipe to its end reads a terminal to its end, too. In the midst of a line that takes two of
 * them: the first one sends the line.
 */
final class PtyInput extends PipeOutput {
    private final Pty pty;
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile boolean inLine;

    PtyInput(Fd writer, Poller poller, Pty pty) {
        super(writer, poller);
        this.pty = pty;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        super.write(bytes, offset, length);
        if (length > 0) {
            byte last = bytes[offset + length - 1];
            inLine = last != '\n' && last != '\r';
        }
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try {
            var modes = pty.modes();
            if (!modes.isRaw()) {
                byte end = modes.endOfInput();
                super.write(new byte[] {end, end}, 0, modes.hasLines() && inLine ? 2 : 1);
            }
        } catch (IOException nobodyReadsIt) {
            // Nor does anybody wait for the end.
        } finally {
            super.close();
        }
    }

    /** Without a word; whoever still writes is woken. */
    void hangUp() {
        closed.set(true);
        super.close();
    }
}
