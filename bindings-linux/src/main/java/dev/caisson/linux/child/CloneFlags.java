// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.call.Flags;

/** The flags of clone3(2) that a launch uses. */
final class CloneFlags {
    static final long VM = 0x100;
    static final long PIDFD = 0x1000;
    static final long VFORK = 0x4000;
    static final long PARENT = 0x8000;
    static final long PARENT_SETTID = 0x100000;
    static final long CLEAR_SIGHAND = 0x100000000L;
    static final long INTO_CGROUP = 0x200000000L;

    private static final Flags NAMES = Flags.named("0")
            .with("CLONE_VM", VM)
            .with("CLONE_VFORK", VFORK)
            .with("CLONE_PARENT", PARENT)
            .with("CLONE_PIDFD", PIDFD)
            .with("CLONE_PARENT_SETTID", PARENT_SETTID)
            .with("CLONE_CLEAR_SIGHAND", CLEAR_SIGHAND)
            .with("CLONE_INTO_CGROUP", INTO_CGROUP)
            .with("CLONE_NEWNS", 0x20000)
            .with("CLONE_NEWCGROUP", 0x2000000)
            .with("CLONE_NEWUTS", 0x4000000)
            .with("CLONE_NEWIPC", 0x8000000)
            .with("CLONE_NEWUSER", 0x10000000)
            .with("CLONE_NEWPID", 0x20000000)
            .with("CLONE_NEWNET", 0x40000000);

    private CloneFlags() {}

    /** {@return the clone3 call of a launch, as strace prints it} */
    static String describe(long flags, boolean intoCgroup) {
        return "clone3({flags=" + NAMES.text(flags | (intoCgroup ? INTO_CGROUP : 0))
                + ((flags & PARENT) == 0 ? ", exit_signal=SIGCHLD" : "") + "}, 88)";
    }
}
