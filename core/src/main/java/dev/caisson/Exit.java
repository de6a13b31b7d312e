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
    sealed interface Reason permits Cause, OutOfMemory {}

    /** A reason of which there is no more to say. */
    enum Cause implements Reason {
        /** Somebody, perhaps the command itself, sent the signal. */
        SIGNAL,
        /** The time given by {@code timeout} was over. */
        TIMEOUT,
        /** It wrote more than {@link dev.caisson.spec.Stdio.Memory#killBeyond} allows. */
        OUTPUT_LIMIT,
        /** All of it together had used the processor time that {@link ContainerBuilder#cpuTimeMax} allows. */
        CPU_TIME,
        /** {@code stop} or {@code close} was called on this side. */
        STOPPED,
        /**
         * A seccomp filter: the signal is SIGSYS, which the kernel sends for a call that a filter kills or traps for; or it
         * is SIGKILL, and a supervisor killed the command. Which call it was and by which rule, a policy tells that is
         * {@linkplain dev.caisson.seccomp.Seccomp#reporting reporting}.
         */
        SECCOMP
    }

    /**
     * The kernel's out-of-memory killer took it, because of a memory limit of its cgroup or one above, or because the host
     * had none left.
     *
     * @param event whose limit it was, at which level, and who was killed
     */
    record OutOfMemory(dev.caisson.cgroups.spec.OutOfMemory event) implements Reason {
        @Override
        public String toString() {
            return "OUT_OF_MEMORY (" + event + ")";
        }
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
