// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Poller;

/** What appears in a terminal, as a stream. Whoever closes it hangs up: a terminal that nobody looks at is none. */
final class PtyOutput extends PipeInput {
    private final Pty pty;

    PtyOutput(Fd reader, Poller poller, Pty pty) {
        super(reader, poller);
        this.pty = pty;
    }

    void hangUp() {
        super.close();
    }

    @Override
    public void close() {
        pty.close();
    }
}
