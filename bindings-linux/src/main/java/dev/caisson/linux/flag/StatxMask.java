// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Flags;

/** What statx(2) is asked for, and what it has found out. */
public final class StatxMask {
    public static final int STATX_TYPE = 0x1;
    public static final int STATX_MODE = 0x2;
    public static final int STATX_BTIME = 0x800;
    public static final int STATX_MNT_ID = 0x1000;

    /** All that stat(2) tells. */
    public static final int STATX_BASIC_STATS = 0x7ff;

    private static final Flags NAMES = Flags.named("0")
            .with("STATX_BASIC_STATS", STATX_BASIC_STATS)
            .with("STATX_TYPE", STATX_TYPE)
            .with("STATX_MODE", STATX_MODE)
            .with("STATX_BTIME", STATX_BTIME)
            .with("STATX_MNT_ID", STATX_MNT_ID);

    private StatxMask() {}

    /** {@return their names, joined by {@code |}} */
    public static String text(long flags) {
        return NAMES.text(flags);
    }

    /** {@return them as an argument that prints their names} */
    public static Arg.Value of(long flags) {
        return NAMES.of(flags);
    }
}
