// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Flags;

/** Flags of calls that begin at a directory. Some bits mean different things in different calls. */
public final class AtFlags {
    /** In place of a descriptor: the working directory. */
    public static final int AT_FDCWD = -100;

    /** {@link #AT_FDCWD} as an argument. */
    public static final Arg CWD = Arg.named(AT_FDCWD, "AT_FDCWD");

    public static final int AT_SYMLINK_NOFOLLOW = 0x100;
    public static final int AT_SYMLINK_FOLLOW = 0x400;
    public static final int AT_EMPTY_PATH = 0x1000;
    public static final int AT_RECURSIVE = 0x8000;

    /** Of unlinkat(2) and faccessat2(2), where they are the same bit. */
    public static final int AT_REMOVEDIR = 0x200;

    public static final int AT_EACCESS = 0x200;

    private static final Flags NAMES = Flags.named("0")
            .with("AT_SYMLINK_NOFOLLOW", AT_SYMLINK_NOFOLLOW)
            .with("AT_SYMLINK_FOLLOW", AT_SYMLINK_FOLLOW)
            .with("AT_EMPTY_PATH", AT_EMPTY_PATH)
            .with("AT_RECURSIVE", AT_RECURSIVE)
            .with("AT_REMOVEDIR", AT_REMOVEDIR);

    private AtFlags() {}

    /** {@return their names, joined by {@code |}} */
    public static String text(long flags) {
        return NAMES.text(flags);
    }

    /** {@return them as an argument that prints their names} */
    public static Arg.Value of(long flags) {
        return NAMES.of(flags);
    }
}
