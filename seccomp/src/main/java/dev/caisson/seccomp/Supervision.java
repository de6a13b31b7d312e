// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import java.time.Duration;
import java.util.Optional;

/**
 * How the supervisors of a policy are run. Immutable.
 *
 * @param isConcurrent whether several calls are decided at once
 * @param timeout how long a decision may take; by default for ever, since the caller can be killed while it waits
 * @param listener told of failures
 */
public record Supervision(boolean isConcurrent, Optional<Duration> timeout, FailureListener listener) {
    private static final FailureListener UNCAUGHT = (_, failure) -> {
        var thread = Thread.currentThread();
        thread.getUncaughtExceptionHandler().uncaughtException(thread, failure);
    };

    /** Is told of supervisors that failed: threw, returned null, or took too long. The call was refused with EPERM. */
    @FunctionalInterface
    public interface FailureListener {
        /** Called on the supervisor's thread, which goes on with the next call afterwards. */
        void failed(Notification call, Throwable failure);
    }

    public Supervision {
        timeout.filter(t -> t.isNegative() || t.isZero()).ifPresent(t -> {
            throw new IllegalArgumentException("timeout: " + t + " is not positive");
        });
    }

    /** {@return one call at a time, no timeout, failures to the thread's handler of uncaught exceptions} */
    public static Supervision standard() {
        return new Supervision(false, Optional.empty(), UNCAUGHT);
    }

    /** {@return the same with several calls at once, each on a thread of its own} Supervisors must be thread-safe. */
    public Supervision concurrent() {
        return new Supervision(true, timeout, listener);
    }

    /** {@return the same with a limit: a decision that takes longer is interrupted, and the call refused} */
    public Supervision timeout(Duration most) {
        return new Supervision(isConcurrent, Optional.of(most), listener);
    }

    /** {@return the same with somebody who is told of failures} */
    public Supervision onFailure(FailureListener told) {
        return new Supervision(isConcurrent, timeout, told);
    }
}
