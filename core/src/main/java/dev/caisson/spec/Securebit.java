// SPDX-License-Identifier: Apache-2.0
package dev.caisson.spec;

/** How root's user id relates to capabilities (capabilities(7), prctl(2) PR_SET_SECUREBITS). */
public enum Securebit {
    /** An execve by user 0 gives no capabilities. */
    NOROOT(1),
    NOROOT_LOCKED(1 << 1),
    /** Changing between user 0 and others leaves the capability sets alone. */
    NO_SETUID_FIXUP(1 << 2),
    NO_SETUID_FIXUP_LOCKED(1 << 3),
    /** Permitted capabilities survive a change from user 0; cleared by execve. */
    KEEP_CAPS(1 << 4),
    KEEP_CAPS_LOCKED(1 << 5),
    /** The ambient set cannot grow. */
    NO_CAP_AMBIENT_RAISE(1 << 6),
    NO_CAP_AMBIENT_RAISE_LOCKED(1 << 7);

    private final int bit;

    Securebit(int bit) {
        this.bit = bit;
    }

    /** {@return its bit in the flags of prctl(PR_SET_SECUREBITS)} */
    public int bit() {
        return bit;
    }
}
