// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Flags;

/** How openat2(2) resolves a path. */
public final class ResolveFlags {
    /** Nothing that is mounted on the way is entered. */
    public static final int RESOLVE_NO_XDEV = 0x1;

    public static final int RESOLVE_NO_MAGICLINKS = 0x2;
    public static final int RESOLVE_NO_SYMLINKS = 0x4;
    public static final int RESOLVE_BENEATH = 0x8;

    /** Links are followed, but never out of the directory that is the root. */
    public static final int RESOLVE_IN_ROOT = 0x10;

    private static final Flags NAMES = Flags.named("0")
            .with("RESOLVE_NO_XDEV", RESOLVE_NO_XDEV)
            .with("RESOLVE_NO_MAGICLINKS", RESOLVE_NO_MAGICLINKS)
            .with("RESOLVE_NO_SYMLINKS", RESOLVE_NO_SYMLINKS)
            .with("RESOLVE_BENEATH", RESOLVE_BENEATH)
            .with("RESOLVE_IN_ROOT", RESOLVE_IN_ROOT);

    private ResolveFlags() {}

    /** {@return their names, joined by {@code |}} */
    public static String text(long flags) {
        return NAMES.text(flags);
    }

    /** {@return them as an argument that prints their names} */
    public static Arg.Value of(long flags) {
        return NAMES.of(flags);
    }
}
