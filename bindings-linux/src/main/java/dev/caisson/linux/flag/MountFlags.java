// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Flags;

/** Flags of mount(2), which the propagation of mount_setattr(2) shares. */
public final class MountFlags {
    public static final int MS_RDONLY = 0x1;
    public static final int MS_NOSUID = 0x2;
    public static final int MS_NODEV = 0x4;
    public static final int MS_NOEXEC = 0x8;
    public static final int MS_BIND = 0x1000;
    public static final int MS_REC = 0x4000;
    public static final int MS_PRIVATE = 0x40000;
    public static final int MS_SLAVE = 0x80000;
    public static final int MS_SHARED = 0x100000;

    private static final Flags NAMES = Flags.named("0")
            .with("MS_RDONLY", MS_RDONLY)
            .with("MS_NOSUID", MS_NOSUID)
            .with("MS_NODEV", MS_NODEV)
            .with("MS_NOEXEC", MS_NOEXEC)
            .with("MS_BIND", MS_BIND)
            .with("MS_REC", MS_REC)
            .with("MS_PRIVATE", MS_PRIVATE)
            .with("MS_SLAVE", MS_SLAVE)
            .with("MS_SHARED", MS_SHARED);

    private MountFlags() {}

    /** {@return their names, joined by {@code |}} */
    public static String text(long flags) {
        return NAMES.text(flags);
    }

    /** {@return them as an argument that prints their names} */
    public static Arg.Value of(long flags) {
        return NAMES.of(flags);
    }
}
