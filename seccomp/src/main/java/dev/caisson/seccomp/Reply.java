// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Errno;
import dev.caisson.seccomp.Notification.Descriptor;
import java.util.OptionalInt;

/** What becomes of a supervised system call. */
public sealed interface Reply {
    /**
     * The call is not made and fails.
     *
     * @param errno 1 to 4095
     */
    record Fail(int errno) implements Reply {
        public Fail {
            if (errno < 1 || errno > LAST_ERRNO) {
                throw new IllegalArgumentException("errno: " + errno + " is not within 1 to " + LAST_ERRNO);
            }
        }
    }

    /**
     * The call is not made and returns a value.
     *
     * @param value not within -4095 to -1, which are errors
     */
    record Returning(long value) implements Reply {
        public Returning {
            if (value < 0 && value >= -LAST_ERRNO) {
                throw new IllegalArgumentException("value: " + value + " would be an error; use Reply.fail");
            }
        }
    }

    /** The call is made, see {@link #proceed}. */
    record Proceed() implements Reply {}

    /**
     * The call is not made and returns a descriptor, see {@link #descriptor}.
     *
     * @param number the number that it gets, closing what had it; empty for the lowest free one
     */
    record Inject(Descriptor descriptor, OptionalInt number, boolean closeOnExec) implements Reply {
        public Inject {
            if (number.isPresent() && number.getAsInt() < 0) {
                throw new IllegalArgumentException("number: " + number.getAsInt() + " is not a descriptor");
            }
        }

        /** {@return the same under a number of the supervisor's choice, as dup2(2) does it} */
        public Inject at(int chosen) {
            return new Inject(descriptor, OptionalInt.of(chosen), closeOnExec);
        }

        /** {@return the same, closed at execve as with O_CLOEXEC} */
        public Inject closingOnExec() {
            return new Inject(descriptor, number, true);
        }
    }

    /** The last number that a system call can return as an error. */
    int LAST_ERRNO = 4095;

    /** {@return the call is not made and fails} */
    static Reply fail(Errno errno) {
        return new Fail(errno.code());
    }

    /** {@return the call is not made and returns a value, which the supervisor has brought about itself} */
    static Reply returning(long value) {
        return new Returning(value);
    }

    /**
     * {@return the call is made after all, and what its pointers point to may have changed since it was looked at} Another
     * thread of the caller can replace a path or an address between the supervisor's look and the kernel's: this is never a
     * security decision, unless it is about registers alone ({@link Notification#arg}). To decide by memory, act in the
     * caller's place and return the result with {@link #returning} or {@link #descriptor}. Linux 5.5.
     */
    static Reply proceed() {
        return new Proceed();
    }

    /**
     * {@return the call is not made; the caller gets a copy of a descriptor, and the call returns its number} Both at once
     * (SECCOMP_ADDFD_FLAG_SEND, Linux 5.14): a caller that is interrupted gets neither. Linux 5.9; before 5.14 a caller
     * interrupted between the two keeps the descriptor without knowing.
     */
    static Inject descriptor(Descriptor descriptor) {
        return new Inject(descriptor, OptionalInt.empty(), false);
    }
}
