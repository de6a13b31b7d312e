// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Poller;
import dev.caisson.linux.sys.PseudoTerminals;
import dev.caisson.linux.sys.TerminalModes;
import dev.caisson.spec.Stdio;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * The master of a command's terminal: a descriptor to read by, one to write by, and one to control it by, so that each can be
 * waited for, and closed, by itself. The kernel hangs the terminal up when all three are closed. Thread-safe.
 */
public final class Pty implements AutoCloseable {
    private final Fd control;
    private final PtyOutput output;
    private final PtyInput input;
    private Stdio.Terminal lastSize = new Stdio.Terminal(1, 1);

    private Pty(Fd control, Fd reader, Fd writer, Poller poller) {
        this.control = control;
        output = new PtyOutput(reader, poller, this);
        input = new PtyInput(writer, poller, this);
    }

    /** {@return a terminal by its master, which it owns from here on, even if this fails} */
    static Pty of(Fd master, Poller poller) throws LinuxException {
        try {
            Files.makeNonBlocking(master);
            var reader = Files.duplicate(master.number());
            try {
                return new Pty(master, reader, Files.duplicate(master.number()), poller);
            } catch (LinuxException | RuntimeException | Error failed) {
                reader.close();
                throw failed;
            }
        } catch (LinuxException | RuntimeException | Error failed) {
            master.close();
            throw failed;
        }
    }

    /** {@return what is typed} */
    OutputStream input() {
        return input;
    }

    /** {@return what appears} */
    InputStream output() {
        return output;
    }

    /** Changes the size; does nothing at the end. */
    public synchronized void resize(Stdio.Terminal size) throws LinuxException {
        if (control.isOpen()) {
            PseudoTerminals.resize(control, new PseudoTerminals.Size(size.columns(), size.rows()));
        }
    }

    /** {@return the size; the last one at the end} */
    public synchronized Stdio.Terminal size() throws LinuxException {
        if (control.isOpen()) {
            var now = PseudoTerminals.size(control);
            // Programs may set a side to 0: unknown.
            lastSize = new Stdio.Terminal(Math.max(1, now.columns()), Math.max(1, now.rows()));
        }
        return lastSize;
    }

    /** Lets every byte through as it is. */
    public void raw() throws LinuxException {
        setModes(TerminalModes.raw());
    }

    /** Makes it behave as a new one. */
    public void cooked() throws LinuxException {
        setModes(TerminalModes.cooked());
    }

    private synchronized void setModes(TerminalModes modes) throws LinuxException {
        if (control.isOpen()) {
            PseudoTerminals.setModes(control, modes);
        }
    }

    /** {@return how it behaves; raw at the end} */
    synchronized TerminalModes modes() throws LinuxException {
        return control.isOpen() ? PseudoTerminals.modes(control) : TerminalModes.raw();
    }

    /** {@return whether what is typed appears} */
    public boolean isEchoing() throws LinuxException {
        return modes().isEchoing();
    }

    private synchronized void letGo() {
        if (control.isOpen()) {
            try {
                var _ = size();
            } catch (LinuxException unknown) {
                // Then it is what it was when somebody asked.
            }
            control.close();
        }
    }

    /** The command has ended: what appeared last can still be read. */
    void ended() {
        letGo();
        input.hangUp();
        output.ended();
    }

    /** Hangs up. */
    @Override
    public void close() {
        letGo();
        input.hangUp();
        output.hangUp();
    }
}
