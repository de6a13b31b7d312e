// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.process.Plumbing;
import dev.caisson.process.Pty;
import dev.caisson.spec.Stdio;
import java.io.IOException;

/** The face of a command's terminal. */
record LiveTerminal(Pty pty) implements ContainerProcess.Terminal {
    static LiveTerminal of(Plumbing plumbing) {
        return new LiveTerminal(plumbing.pty()
                .orElseThrow(() -> new IllegalStateException(
                        "terminal: this command has none; start it with terminal(columns, rows)")));
    }

    @Override
    public void resize(int columns, int rows) throws IOException {
        pty.resize(new Stdio.Terminal(columns, rows));
    }

    @Override
    public Stdio.Terminal size() throws IOException {
        return pty.size();
    }

    @Override
    public void raw() throws IOException {
        pty.raw();
    }

    @Override
    public void cooked() throws IOException {
        pty.cooked();
    }

    @Override
    public boolean isEchoing() throws IOException {
        return pty.isEchoing();
    }

    @Override
    public void hangUp() {
        pty.close();
    }
}
