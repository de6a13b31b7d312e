// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A signal of signal(7), numbered as on x86 and Arm.
 *
 * <p>An open set: the real-time signals 34 to 64 have no constants but names, {@code SIGRTMIN+n}, counted as glibc,
 * systemd and Docker do. The signals 32 and 33 belong to the C library and have no name.
 *
 * <p>There is one object for each signal, so that {@code ==} and {@code equals} say the same. Immutable.
 */
public final class Signal {
    private static final int LAST_STANDARD = 31;

    /** glibc's, the number that {@code SIGRTMIN+3} in an image means; the kernel's own is 32. */
    private static final int RTMIN = 34;

    private static final int RTMAX = 64;

    private static final @Nullable String[] NAMES = new String[LAST_STANDARD + 1];
    private static final Signal[] ALL = all();

    public static final Signal SIGHUP = define(1, "SIGHUP");
    public static final Signal SIGINT = define(2, "SIGINT");
    public static final Signal SIGQUIT = define(3, "SIGQUIT");
    public static final Signal SIGILL = define(4, "SIGILL");
    public static final Signal SIGTRAP = define(5, "SIGTRAP");
    public static final Signal SIGABRT = define(6, "SIGABRT");
    public static final Signal SIGBUS = define(7, "SIGBUS");
    public static final Signal SIGFPE = define(8, "SIGFPE");
    public static final Signal SIGKILL = define(9, "SIGKILL");
    public static final Signal SIGUSR1 = define(10, "SIGUSR1");
    public static final Signal SIGSEGV = define(11, "SIGSEGV");
    public static final Signal SIGUSR2 = define(12, "SIGUSR2");
    public static final Signal SIGPIPE = define(13, "SIGPIPE");
    public static final Signal SIGALRM = define(14, "SIGALRM");
    public static final Signal SIGTERM = define(15, "SIGTERM");
    public static final Signal SIGSTKFLT = define(16, "SIGSTKFLT");
    public static final Signal SIGCHLD = define(17, "SIGCHLD");
    public static final Signal SIGCONT = define(18, "SIGCONT");
    public static final Signal SIGSTOP = define(19, "SIGSTOP");
    public static final Signal SIGTSTP = define(20, "SIGTSTP");
    public static final Signal SIGTTIN = define(21, "SIGTTIN");
    public static final Signal SIGTTOU = define(22, "SIGTTOU");
    public static final Signal SIGURG = define(23, "SIGURG");
    public static final Signal SIGXCPU = define(24, "SIGXCPU");
    public static final Signal SIGXFSZ = define(25, "SIGXFSZ");
    public static final Signal SIGVTALRM = define(26, "SIGVTALRM");
    public static final Signal SIGPROF = define(27, "SIGPROF");
    public static final Signal SIGWINCH = define(28, "SIGWINCH");
    public static final Signal SIGIO = define(29, "SIGIO");
    public static final Signal SIGPWR = define(30, "SIGPWR");
    public static final Signal SIGSYS = define(31, "SIGSYS");

    public static final Signal SIGIOT = SIGABRT;
    public static final Signal SIGCLD = SIGCHLD;
    public static final Signal SIGPOLL = SIGIO;

    private final int number;

    private Signal(int number) {
        this.number = number;
    }

    private static Signal[] all() {
        var all = new Signal[RTMAX];
        for (int number = 1; number <= RTMAX; number++) {
            all[number - 1] = new Signal(number);
        }
        return all;
    }

    /**
     * {@return the signal of a number, named or not}
     *
     * @param number 1 to 64
     * @throws IllegalArgumentException if it is not
     */
    public static Signal of(int number) {
        if (number < 1 || number > RTMAX) {
            throw new IllegalArgumentException("signal " + number + ": must be 1 to " + RTMAX);
        }
        return ALL[number - 1];
    }

    /**
     * The signal written as {@code kill -s} and an image's STOPSIGNAL take it: {@code "SIGTERM"}, {@code "TERM"},
     * {@code "15"}, {@code "SIGRTMIN+3"}, {@code "RTMAX-1"}, in upper or lower case.
     *
     * @throws IllegalArgumentException if there is no such signal
     */
    public static Signal of(String name) {
        String upper = name.toUpperCase(Locale.ROOT);
        Signal known = ByName.NAMED.get(upper.startsWith("SIG") ? upper : "SIG" + upper);
        if (known != null) {
            return known;
        }
        if (name.matches("[1-9][0-9]?") && Integer.parseInt(name) <= RTMAX) {
            return of(Integer.parseInt(name));
        }
        throw new IllegalArgumentException("signal \"" + name
                + "\": must be a name such as SIGTERM, TERM or SIGRTMIN+3, or a number from 1 to " + RTMAX);
    }

    /** {@return its number, 1 to 64} */
    public int number() {
        return number;
    }

    /** {@return {@code SIGTERM}, {@code SIGRTMIN+3}; for an unnamed signal its number in decimal} */
    public String name() {
        if (number >= RTMIN) {
            return number == RTMIN ? "SIGRTMIN" : "SIGRTMIN+" + (number - RTMIN);
        }
        String name = number <= LAST_STANDARD ? NAMES[number] : null;
        return name != null ? name : Integer.toString(number);
    }

    /** {@return the same as {@link #name()}} */
    @Override
    public String toString() {
        return name();
    }

    private static Signal define(int number, String name) {
        NAMES[number] = name;
        return of(number);
    }

    /** Built when the first name is read: most programs only use constants. */
    private static final class ByName {
        static final Map<String, Signal> NAMED = named();

        private static Map<String, Signal> named() {
            var signals = new HashMap<String, Signal>();
            for (int number = 1; number <= LAST_STANDARD; number++) {
                signals.put(of(number).name(), of(number));
            }
            for (int number = RTMIN; number <= RTMAX; number++) {
                signals.put("SIGRTMIN+" + (number - RTMIN), of(number));
                signals.put("SIGRTMAX-" + (RTMAX - number), of(number));
            }
            signals.put("SIGRTMIN", of(RTMIN));
            signals.put("SIGRTMAX", of(RTMAX));
            signals.put("SIGIOT", SIGIOT);
            signals.put("SIGCLD", SIGCLD);
            signals.put("SIGPOLL", SIGPOLL);
            return Map.copyOf(signals);
        }
    }
}
