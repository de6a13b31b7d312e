// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static dev.caisson.linux.flag.OpenFlags.O_CLOEXEC;
import static dev.caisson.linux.flag.OpenFlags.O_NOCTTY;
import static dev.caisson.linux.flag.OpenFlags.O_RDWR;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.flag.Terminals;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Pseudo-terminals (pty(7)) from the side of their master: what is set there is set for the other end. */
public final class PseudoTerminals {
    private static final int WINSIZE_SIZE = 8;

    private PseudoTerminals() {}

    /** How many characters it is wide, and how many lines high. */
    public record Size(int columns, int rows) {}

    /** {@return the master of a new one of this process's devpts instance} */
    public static Fd open() throws LinuxException {
        return Files.open("/dev/ptmx", O_RDWR | O_NOCTTY, 0);
    }

    /** {@return the other end, which does not become this process's controlling terminal} */
    public static Fd openPeer(Fd master) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var unlocked = arena.allocateFrom(JAVA_INT, 0);
            var _ = control(master, Terminals.TIOCSPTLCK, unlocked.address(), "TIOCSPTLCK, [0]");
        }
        return Fd.owning(control(
                master,
                Terminals.TIOCGPTPEER,
                O_RDWR | O_NOCTTY | O_CLOEXEC,
                "TIOCGPTPEER, O_RDWR|O_NOCTTY|O_CLOEXEC"));
    }

    private static long control(Fd master, int request, long argument, String text) throws LinuxException {
        long result = Native.call(Syscall.IOCTL, master.number(), request & 0xffff_ffffL, argument);
        if (Native.failed(result)) {
            throw new LinuxException(Native.errno(result), "ioctl(" + master + ", " + text + ")");
        }
        return result;
    }

    /** {@return its size} */
    public static Size size(Fd master) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var size = arena.allocate(WINSIZE_SIZE, Long.BYTES);
            var _ = control(master, Terminals.TIOCGWINSZ, size.address(), "TIOCGWINSZ");
            return new Size(
                    Short.toUnsignedInt(size.getAtIndex(JAVA_SHORT, 1)),
                    Short.toUnsignedInt(size.getAtIndex(JAVA_SHORT, 0)));
        }
    }

    /** Changes its size; the foreground of its session gets SIGWINCH. */
    public static void resize(Fd master, Size to) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var size = arena.allocate(WINSIZE_SIZE, Long.BYTES);
            size.setAtIndex(JAVA_SHORT, 0, (short) to.rows());
            size.setAtIndex(JAVA_SHORT, 1, (short) to.columns());
            var _ = control(
                    master,
                    Terminals.TIOCSWINSZ,
                    size.address(),
                    "TIOCSWINSZ, {ws_row=" + to.rows() + ", ws_col=" + to.columns() + "}");
        }
    }

    /** {@return its modes} */
    public static TerminalModes modes(Fd master) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var termios = arena.allocate(TerminalModes.SIZE, Long.BYTES);
            var _ = control(master, Terminals.TCGETS, termios.address(), "TCGETS");
            return new TerminalModes(termios.toArray(JAVA_BYTE));
        }
    }

    /** Sets its modes at once. */
    public static void setModes(Fd master, TerminalModes modes) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var termios = arena.allocate(TerminalModes.SIZE, Long.BYTES);
            MemorySegment.copy(modes.bytes(), 0, termios, JAVA_BYTE, 0, TerminalModes.SIZE);
            var _ = control(master, Terminals.TCSETS, termios.address(), "TCSETS");
        }
    }
}
