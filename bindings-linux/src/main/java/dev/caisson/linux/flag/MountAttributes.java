// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Flags;

/** Attributes of fsmount(2) and mount_setattr(2). */
public final class MountAttributes {
    public static final int MOUNT_ATTR_RDONLY = 0x1;
    public static final int MOUNT_ATTR_NOSUID = 0x2;
    public static final int MOUNT_ATTR_NODEV = 0x4;
    public static final int MOUNT_ATTR_NOEXEC = 0x8;
    public static final int MOUNT_ATTR_IDMAP = 0x100000;

    private static final Flags NAMES = Flags.named("0")
            .with("MOUNT_ATTR_RDONLY", MOUNT_ATTR_RDONLY)
            .with("MOUNT_ATTR_NOSUID", MOUNT_ATTR_NOSUID)
            .with("MOUNT_ATTR_NODEV", MOUNT_ATTR_NODEV)
            .with("MOUNT_ATTR_NOEXEC", MOUNT_ATTR_NOEXEC)
            .with("MOUNT_ATTR_IDMAP", MOUNT_ATTR_IDMAP);

    private MountAttributes() {}

    /** {@return their names, joined by {@code |}} */
    public static String text(long flags) {
        return NAMES.text(flags);
    }

    /** {@return them as an argument that prints their names} */
    public static Arg.Value of(long flags) {
        return NAMES.of(flags);
    }
}
