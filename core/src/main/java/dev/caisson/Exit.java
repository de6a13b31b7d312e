// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.linux.Signal;
import java.util.Optional;

/**
 * How a command ended. Sealed, so that a switch over it is checked for completeness:
 *
 * {@snippet :
 * String said = switch (exit) {
 *     case Exit.Exited(int code) -> "exit code " + code;
 *     case Exit.Killed(var signal, var reason) -> "killed by " + signal + ", " + reason;
 * };
 * }
 */
public sealed interface Exit {
    /** It ended by itself. @param code 0 to 255 */
    record Exited(int code) implements Exit {}

    /** A signal ended it. */
    record Killed(Signal signal, Reason reason) implements Exit {}

    /** Why a command was killed, as far as this side knows. */
    enum Reason {
        /** Somebody, perhaps the command itself, sent the signal. */
        SIGNAL,
        /**
         * The kernel's out-of-memory killer took it, because of a memory limit of its cgroup or one above, or because the host had
         * none left; {@link Container#outOfMemory} and {@link Output#outOfMemory} tell which, and who was killed.
         */
        OUT_OF_MEMORY,
        /** The time given by {@code timeout} was over. */
        TIMEOUT,
        /** {@code stop} or {@code close} was called on this side. */
        STOPPED
    }

    /** {@return whether it exited with code 0} */
    default boolean isSuccess() {
        return this instanceof Exited(int code) && code == 0;
    }

    /** {@return the number a shell shows: the exit code, or 128 plus the signal's number} */
    default int shellCode() {
        return switch (this) {
            case Exited(int code) -> code;
            case Killed(var signal, var _) -> 128 + signal.number();
        };
    }

    /**
     * {@return this, if it is a success}
     *
     * @throws ExitException if it is none
     */
    default Exit orThrow() throws ExitException {
        if (!isSuccess()) {
            throw new ExitException(this, Optional.empty(), "");
        }
        return this;
    }
}
