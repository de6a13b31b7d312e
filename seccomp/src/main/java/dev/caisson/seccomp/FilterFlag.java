// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import java.util.Set;

/** How a filter is installed: SECCOMP_FILTER_FLAG_ of seccomp(2). Which of them a host has, {@link SeccompSupport} says. */
public enum FilterFlag {
    /** All threads of the process get the filter, or none. Linux 3.17. */
    TSYNC(1),
    /** Every refusal is logged, as far as the host's {@code actions_logged} lets it. Linux 4.14. */
    LOG(2),
    /** No protection against Speculative Store Bypass is turned on for the process. Linux 4.17. */
    SPEC_ALLOW(4),
    /** The call returns a descriptor on which a supervisor listens. Linux 5.0. */
    NEW_LISTENER(8),
    /** A failed {@link #TSYNC} is told from a listener's descriptor. Linux 5.7. */
    TSYNC_ESRCH(16),
    /** A call the supervisor has received can only be interrupted by a deadly signal. Linux 5.19. */
    WAIT_KILLABLE_RECV(32);

    private final int bit;

    FilterFlag(int bit) {
        this.bit = bit;
    }

    /** {@return the name in OCI profiles} */
    public String ociName() {
        return "SECCOMP_FILTER_FLAG_" + name();
    }

    /** {@return the flags as the kernel's argument} */
    public static int bits(Set<FilterFlag> flags) {
        return flags.stream().mapToInt(f -> f.bit).reduce(0, (a, b) -> a | b);
    }
}
