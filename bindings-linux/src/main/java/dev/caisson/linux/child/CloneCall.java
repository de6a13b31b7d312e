// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.flag.CloneFlags;

/** The clone3 call of a launch, as strace prints it. */
final class CloneCall {
    private CloneCall() {}

    static String describe(long flags, boolean intoCgroup) {
        return "clone3({flags=" + CloneFlags.text(flags | (intoCgroup ? CloneFlags.CLONE_INTO_CGROUP : 0))
                + ((flags & CloneFlags.CLONE_PARENT) == 0 ? ", exit_signal=SIGCHLD" : "") + "}, 88)";
    }
}
