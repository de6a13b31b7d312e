// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Flags;

/** Flags of move_mount(2). */
public final class MoveMountFlags {
    public static final int MOVE_MOUNT_F_EMPTY_PATH = 0x4;
    public static final int MOVE_MOUNT_T_EMPTY_PATH = 0x40;

    private static final Flags NAMES = Flags.named("0")
            .with("MOVE_MOUNT_F_EMPTY_PATH", MOVE_MOUNT_F_EMPTY_PATH)
            .with("MOVE_MOUNT_T_EMPTY_PATH", MOVE_MOUNT_T_EMPTY_PATH);

    private MoveMountFlags() {}

    /** {@return their names, joined by {@code |}} */
    public static String text(long flags) {
        return NAMES.text(flags);
    }

    /** {@return them as an argument that prints their names} */
    public static Arg.Value of(long flags) {
        return NAMES.of(flags);
    }
}
