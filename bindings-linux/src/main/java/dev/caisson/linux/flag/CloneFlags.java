// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Flags;

/** Flags of clone3(2), unshare(2) and setns(2). */
public final class CloneFlags {
    public static final int CLONE_NEWTIME = 0x80;
    public static final int CLONE_VM = 0x100;
    public static final int CLONE_PIDFD = 0x1000;
    public static final int CLONE_VFORK = 0x4000;
    public static final int CLONE_PARENT = 0x8000;
    public static final int CLONE_NEWNS = 0x20000;
    public static final int CLONE_PARENT_SETTID = 0x100000;
    public static final int CLONE_NEWCGROUP = 0x2000000;
    public static final int CLONE_NEWUTS = 0x4000000;
    public static final int CLONE_NEWIPC = 0x8000000;
    public static final int CLONE_NEWUSER = 0x10000000;
    public static final int CLONE_NEWPID = 0x20000000;
    public static final int CLONE_NEWNET = 0x40000000;
    public static final long CLONE_CLEAR_SIGHAND = 0x100000000L;
    public static final long CLONE_INTO_CGROUP = 0x200000000L;

    /** All namespaces but time, whose bit is part of the exit signal in clone(2). */
    public static final int NEW_NAMESPACES =
            CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

    private static final Flags NAMES = Flags.named("0")
            .with("CLONE_NEWTIME", CLONE_NEWTIME)
            .with("CLONE_VM", CLONE_VM)
            .with("CLONE_PIDFD", CLONE_PIDFD)
            .with("CLONE_VFORK", CLONE_VFORK)
            .with("CLONE_PARENT", CLONE_PARENT)
            .with("CLONE_NEWNS", CLONE_NEWNS)
            .with("CLONE_PARENT_SETTID", CLONE_PARENT_SETTID)
            .with("CLONE_NEWCGROUP", CLONE_NEWCGROUP)
            .with("CLONE_NEWUTS", CLONE_NEWUTS)
            .with("CLONE_NEWIPC", CLONE_NEWIPC)
            .with("CLONE_NEWUSER", CLONE_NEWUSER)
            .with("CLONE_NEWPID", CLONE_NEWPID)
            .with("CLONE_NEWNET", CLONE_NEWNET)
            .with("CLONE_CLEAR_SIGHAND", CLONE_CLEAR_SIGHAND)
            .with("CLONE_INTO_CGROUP", CLONE_INTO_CGROUP);

    private CloneFlags() {}

    /** {@return their names, joined by {@code |}} */
    public static String text(long flags) {
        return NAMES.text(flags);
    }

    /** {@return them as an argument that prints their names} */
    public static Arg.Value of(long flags) {
        return NAMES.of(flags);
    }
}
