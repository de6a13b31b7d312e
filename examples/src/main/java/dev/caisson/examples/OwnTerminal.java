// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Optional;
import org.jline.terminal.Attributes;
import org.jline.terminal.Attributes.ControlChar;
import org.jline.terminal.Attributes.InputFlag;
import org.jline.terminal.Attributes.LocalFlag;
import org.jline.terminal.Attributes.OutputFlag;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jline.terminal.spi.SystemStream;
import org.jline.terminal.spi.TerminalProvider;
import org.jline.utils.Signals;

/**
 * The terminal that this program runs in, by JLine. Closed, it is as it was, and so it is when the JVM ends by a signal; where
 * the JVM is killed, {@code ./caisson} puts it back.
 */
final class OwnTerminal implements AutoCloseable {
    private static final Stdio.Terminal USUAL_SIZE = new Stdio.Terminal(80, 24);

    private final Terminal terminal;

    private OwnTerminal(Terminal terminal) {
        this.terminal = terminal;
    }

    /** {@return whether somebody can type} */
    static boolean isInput() throws IOException {
        return TerminalProvider.load("ffm").isSystemStream(SystemStream.Input);
    }

    /** {@return the terminal, if input and one of the outputs are one} */
    static Optional<OwnTerminal> find() {
        try {
            return Optional.of(new OwnTerminal(TerminalBuilder.builder()
                    .system(true)
                    .provider("ffm")
                    .dumb(false)
                    .nativeSignals(false)
                    .graphemeCluster(false) // Else it would ask the terminal, and the answer would be typed.
                    .build()));
        } catch (IOException | IllegalStateException none) {
            return Optional.empty();
        }
    }

    /** {@return its size; a usual one where it does not know} */
    Stdio.Terminal size() {
        var size = terminal.getSize();
        return size.getColumns() < 1 || size.getRows() < 1
                ? USUAL_SIZE
                : new Stdio.Terminal(size.getColumns(), size.getRows());
    }

    /** {@return the size of a terminal that nobody sees} */
    static Stdio.Terminal usualSize() {
        return USUAL_SIZE;
    }

    /** Has something done whenever its size changes. */
    static void onResize(Runnable changed) {
        var _ = Signals.register("WINCH", changed);
    }

    /** Passes every key on as it is, Ctrl-C too: what it means is for the terminal in the container to say. */
    void raw() {
        var raw = new Attributes(terminal.getAttributes());
        raw.setInputFlags(
                EnumSet.of(
                        InputFlag.BRKINT,
                        InputFlag.ICRNL,
                        InputFlag.INLCR,
                        InputFlag.IGNCR,
                        InputFlag.ISTRIP,
                        InputFlag.IXON),
                false);
        raw.setOutputFlag(OutputFlag.OPOST, false);
        raw.setLocalFlags(
                EnumSet.of(LocalFlag.ECHO, LocalFlag.ECHONL, LocalFlag.ICANON, LocalFlag.ISIG, LocalFlag.IEXTEN),
                false);
        raw.setControlChar(ControlChar.VMIN, 1);
        raw.setControlChar(ControlChar.VTIME, 0);
        terminal.setAttributes(raw);
    }

    @Override
    public void close() throws IOException {
        terminal.close();
    }
}
