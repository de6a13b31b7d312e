// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import dev.caisson.linux.flag.Terminals;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * How a terminal behaves, as the kernel has it.
 *
 * <pre>
 *   struct termios   +0 c_iflag, +4 c_oflag, +8 c_cflag, +12 c_lflag, +16 c_line, +17 c_cc[19]
 * </pre>
 */
public final class TerminalModes {
    static final int SIZE = 36;

    private static final int LOCAL_FLAGS = 12;
    private static final int CHARACTERS = 17;
    private static final int END_OF_INPUT = 4;

    /** Ctrl-C, Ctrl-\, Delete, Ctrl-U, Ctrl-D, and so on: INIT_C_CC of the kernel, the same on all its newer architectures. */
    private static final byte[] USUAL_CHARACTERS =
            "\003\034\177\025\004\000\001\000\021\023\032\000\022\017\027\026\000\000\000"
                    .getBytes(StandardCharsets.ISO_8859_1);

    private static final int COOKED_INPUT = Terminals.ICRNL | Terminals.IXON | Terminals.IUTF8;
    private static final int COOKED_OUTPUT = Terminals.OPOST | Terminals.ONLCR;
    private static final int CONTROL = Terminals.B38400 | Terminals.CS8 | Terminals.CREAD;
    private static final int SHOWN = Terminals.ECHOE | Terminals.ECHOK | Terminals.ECHOCTL | Terminals.ECHOKE;
    private static final int COOKED_LOCAL =
            Terminals.ISIG | Terminals.ICANON | Terminals.ECHO | Terminals.IEXTEN | SHOWN;

    private final byte[] termios;

    TerminalModes(byte[] termios) {
        this.termios = termios;
    }

    /** {@return the modes of a new terminal, for UTF-8: echo, lines, signals by keys} */
    public static TerminalModes cooked() {
        return of(COOKED_INPUT, COOKED_OUTPUT, COOKED_LOCAL);
    }

    /** {@return the modes in which every byte goes through as it is, both ways (cfmakeraw(3))} */
    public static TerminalModes raw() {
        return of(Terminals.IUTF8, Terminals.ONLCR, SHOWN);
    }

    private static TerminalModes of(int input, int output, int local) {
        var all = ByteBuffer.allocate(SIZE).order(ByteOrder.nativeOrder());
        all.putInt(input).putInt(output).putInt(CONTROL).putInt(local);
        all.put(CHARACTERS, USUAL_CHARACTERS);
        return new TerminalModes(all.array());
    }

    /** {@return them as the kernel reads them} */
    public byte[] bytes() {
        return termios.clone();
    }

    private int local() {
        return ByteBuffer.wrap(termios).order(ByteOrder.nativeOrder()).getInt(LOCAL_FLAGS);
    }

    /** {@return whether what is typed appears} */
    public boolean isEchoing() {
        return (local() & Terminals.ECHO) != 0;
    }

    /** {@return whether what is typed is read line by line} */
    public boolean hasLines() {
        return (local() & Terminals.ICANON) != 0;
    }

    /** {@return whether no key means anything to the terminal} */
    public boolean isRaw() {
        return (local() & (Terminals.ICANON | Terminals.ISIG)) == 0;
    }

    /** {@return the character that ends the input} */
    public byte endOfInput() {
        return termios[CHARACTERS + END_OF_INPUT];
    }
}
