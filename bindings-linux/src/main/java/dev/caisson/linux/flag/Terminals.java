// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

/** Requests of ioctl_tty(2) and modes of termios(3), as the kernel numbers them. */
public final class Terminals {
    public static final int TCGETS = 0x5401;
    public static final int TCSETS = 0x5402;
    public static final int TIOCSCTTY = 0x540e;
    public static final int TIOCGWINSZ = 0x5413;
    public static final int TIOCSWINSZ = 0x5414;

    /** Locks the other end of a pseudo-terminal, or unlocks it. */
    public static final int TIOCSPTLCK = 0x40045431;

    /** Opens the other end of a pseudo-terminal by its master, not by a name (Linux 4.13). */
    public static final int TIOCGPTPEER = 0x5441;

    /** Of {@code c_iflag}. */
    public static final int ICRNL = 0x100;

    public static final int IXON = 0x400;
    public static final int IUTF8 = 0x4000;

    /** Of {@code c_oflag}. */
    public static final int OPOST = 0x1;

    public static final int ONLCR = 0x4;

    /** Of {@code c_cflag}. */
    public static final int B38400 = 0xf;

    public static final int CS8 = 0x30;
    public static final int CREAD = 0x80;

    /** Of {@code c_lflag}. */
    public static final int ISIG = 0x1;

    public static final int ICANON = 0x2;
    public static final int ECHO = 0x8;
    public static final int ECHOE = 0x10;
    public static final int ECHOK = 0x20;
    public static final int ECHOCTL = 0x200;
    public static final int ECHOKE = 0x800;
    public static final int IEXTEN = 0x8000;

    private Terminals() {}
}
