// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Flags;

/** Flags of renameat2(2). */
public final class RenameFlags {
    public static final int RENAME_NOREPLACE = 0x1;
    public static final int RENAME_EXCHANGE = 0x2;

    private static final Flags NAMES =
            Flags.named("0").with("RENAME_NOREPLACE", RENAME_NOREPLACE).with("RENAME_EXCHANGE", RENAME_EXCHANGE);

    private RenameFlags() {}

    /** {@return their names, joined by {@code |}} */
    public static String text(long flags) {
        return NAMES.text(flags);
    }

    /** {@return them as an argument that prints their names} */
    public static Arg.Value of(long flags) {
        return NAMES.of(flags);
    }
}
