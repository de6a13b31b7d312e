// SPDX-License-Identifier: Apache-2.0
package dev.caisson.spec;

import java.util.OptionalLong;

/**
 * A limit of each single process (getrlimit(2)).
 *
 * @param soft what is enforced; empty: no limit
 * @param hard how far the process may raise it again; empty: no limit. Raising it above the JVM's own needs
 *     CAP_SYS_RESOURCE
 */
public record Rlimit(Resource resource, OptionalLong soft, OptionalLong hard) {
    /** The sixteen resources; {@code ordinal()} is the kernel's number on x86-64 and aarch64. */
    public enum Resource {
        CPU,
        FSIZE,
        DATA,
        STACK,
        CORE,
        RSS,
        NPROC,
        NOFILE,
        MEMLOCK,
        AS,
        LOCKS,
        SIGPENDING,
        MSGQUEUE,
        NICE,
        RTPRIO,
        RTTIME
    }

    public Rlimit {
        check(resource, "soft", soft);
        check(resource, "hard", hard);
        if (hard.isPresent() && (soft.isEmpty() || soft.getAsLong() > hard.getAsLong())) {
            throw new IllegalArgumentException("rlimit " + resource + ": the soft limit "
                    + (soft.isPresent() ? soft.getAsLong() : "unlimited") + " is above the hard one "
                    + hard.getAsLong());
        }
    }

    private static void check(Resource resource, String which, OptionalLong value) {
        if (value.isPresent() && value.getAsLong() < 0) {
            throw new IllegalArgumentException(
                    "rlimit " + resource + ": the " + which + " limit " + value.getAsLong() + " is negative");
        }
    }

    /**
     * {@return one number for the soft and the hard limit}
     *
     * @throws IllegalArgumentException if it is negative
     */
    public static Rlimit of(Resource resource, long softAndHard) {
        return of(resource, softAndHard, softAndHard);
    }

    /**
     * {@return a soft limit, which processes may raise themselves, and the hard limit, up to which they may}
     *
     * @throws IllegalArgumentException if one is negative, or the soft limit is greater
     */
    public static Rlimit of(Resource resource, long soft, long hard) {
        return new Rlimit(resource, OptionalLong.of(soft), OptionalLong.of(hard));
    }
}
