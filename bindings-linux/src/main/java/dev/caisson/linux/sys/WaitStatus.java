// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import dev.caisson.linux.Signal;
import java.time.Duration;
import java.util.OptionalInt;

/**
 * How a process ended, and what it used (waitid(2), getrusage(2)).
 *
 * @param exitCode the argument of exit(2), 0 to 255, or empty if a signal ended it
 * @param signal the signal's number, or empty if it exited
 * @param maxResidentBytes its peak, but not less than what the JVM had resident when it was launched: until its execve a
 *     child shares the JVM's memory, and the kernel counts that too
 */
public record WaitStatus(
        OptionalInt exitCode,
        OptionalInt signal,
        boolean coreDumped,
        Duration userTime,
        Duration systemTime,
        long maxResidentBytes,
        long majorFaults,
        long voluntarySwitches,
        long involuntarySwitches) {
    private static final int MOST_SIGNALS = 64;

    /** {@return the end of a process that was killed and of which nothing else is known} */
    public static WaitStatus killed(Signal signal) {
        return new WaitStatus(
                OptionalInt.empty(), OptionalInt.of(signal.number()), false, Duration.ZERO, Duration.ZERO, 0, 0, 0, 0);
    }

    /** Decodes the status word of wait4(2), as an init reports it. */
    public WaitStatus withWaitWord(int word) {
        int signalNumber = word & 0x7f;
        if (signalNumber > MOST_SIGNALS) {
            return this; // Not of an end.
        }
        return signalNumber == 0
                ? withEnd(OptionalInt.of((word >> 8) & 0xff), OptionalInt.empty(), false)
                : withEnd(OptionalInt.empty(), OptionalInt.of(signalNumber), (word & 0x80) != 0);
    }

    private WaitStatus withEnd(OptionalInt code, OptionalInt by, boolean dumped) {
        return new WaitStatus(
                code,
                by,
                dumped,
                userTime,
                systemTime,
                maxResidentBytes,
                majorFaults,
                voluntarySwitches,
                involuntarySwitches);
    }

    @Override
    public String toString() {
        return signal.isPresent()
                ? "killed by " + Signal.of(signal.getAsInt()).name()
                : "exited with " + exitCode.orElseThrow();
    }
}
