// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.Errno;
import java.util.List;

/** What a step does when the kernel refuses it. EINTR is not a refusal: the step is made again. */
public sealed interface OnError {
    /** The most errnos one step can tell apart; the table has room for no more. */
    int MAX_ERRNOS = 3;

    /** Report the step and its errno, and end the child. */
    record Fail() implements OnError {
        @Override
        public List<Errno> errnos() {
            return List.of();
        }
    }

    /** Go on with the next step; the result is {@code -errno}. */
    record Ignore(List<Errno> errnos) implements OnError {
        public Ignore {
            errnos = checked(errnos);
        }
    }

    /** Go on at a label; the result is {@code -errno}. */
    record Jump(Label target, List<Errno> errnos) implements OnError {
        public Jump {
            errnos = checked(errnos);
        }
    }

    /** {@return the errnos that are treated this way, all others fail; an empty list means every errno} */
    List<Errno> errnos();

    static OnError fail() {
        return new Fail();
    }

    static OnError ignore(Errno... errnos) {
        return new Ignore(List.of(errnos));
    }

    static OnError jump(Label target, Errno... errnos) {
        return new Jump(target, List.of(errnos));
    }

    private static List<Errno> checked(List<Errno> errnos) {
        if (errnos.size() > MAX_ERRNOS) {
            throw new IllegalArgumentException("at most " + MAX_ERRNOS + " errnos: " + errnos);
        }
        return List.copyOf(errnos);
    }
}
