// SPDX-License-Identifier: Apache-2.0
package dev.caisson.spec;

/**
 * When the command of a detached container is started again, by its supervisor, also when no JVM is there. The pause before that
 * is 100 ms at first, twice as long each time up to a minute, and 100 ms again after the command ran for ten seconds, as with
 * Docker. Who stops a container, or lets its timeout end it, does not see it started again.
 */
public sealed interface Restart {
    /** Not at all. */
    record Never() implements Restart {}

    /**
     * When it ends with another exit code than 0, or by a signal.
     *
     * @param most how often; 0: any number of times
     */
    record OnFailure(int most) implements Restart {
        public OnFailure {
            if (most < 0) {
                throw new IllegalArgumentException("restart: " + most + " times is less than never");
            }
        }
    }

    /** Whenever it ends. */
    record Always() implements Restart {}

    /** Whenever it ends, unless somebody stopped it. */
    record UnlessStopped() implements Restart {}

    /** {@return not at all} */
    static Restart never() {
        return new Never();
    }

    /**
     * {@return when it fails}
     *
     * @param most how often; 0: any number of times
     * @throws IllegalArgumentException if it is negative
     */
    static Restart onFailure(int most) {
        return new OnFailure(most);
    }

    /** {@return whenever it ends} No daemon starts it at the next boot, so that this is as {@link #unlessStopped}. */
    static Restart always() {
        return new Always();
    }

    /** {@return whenever it ends, unless somebody stopped it} */
    static Restart unlessStopped() {
        return new UnlessStopped();
    }
}
