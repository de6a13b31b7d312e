// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.WaitStatus;
import java.lang.foreign.Arena;

/** The pipe on which an init or a reaper says how the command ended. Its user takes care that one thread at a time has it. */
final class InitReport {
    /** Not a wait status. */
    private static final int UNKNOWN = -1;

    private final Fd pipe;
    private int word = UNKNOWN;

    InitReport(Fd pipe) {
        this.pipe = pipe;
    }

    Fd pipe() {
        return pipe;
    }

    boolean isKnown() {
        return word != UNKNOWN;
    }

    /** {@return whether there is more to wait for: processes that the command has left behind} */
    boolean read() throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var words = arena.allocate(JAVA_INT, 2);
            int length = Files.read(pipe, words);
            if (length >= Integer.BYTES) {
                word = words.get(JAVA_INT, 0);
            }
            return length > Integer.BYTES;
        }
    }

    /** {@return how the command ended; the init's own end if nothing was said} The pipe is closed. */
    WaitStatus last(WaitStatus ofInit) throws LinuxException {
        try (pipe) {
            if (!isKnown()) {
                var _ = read();
            }
            return isKnown() ? ofInit.withWaitWord(word) : ofInit;
        }
    }
}
