// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Flags;

/** Protection and kind of a mapping (mmap(2)); the kind is printed by its names. */
public final class MapFlags {
    public static final int PROT_NONE = 0;
    public static final int PROT_READ = 0x1;
    public static final int PROT_WRITE = 0x2;
    public static final int PROT_EXEC = 0x4;

    public static final int MAP_SHARED = 0x1;
    public static final int MAP_PRIVATE = 0x2;
    public static final int MAP_FIXED = 0x10;
    public static final int MAP_ANONYMOUS = 0x20;

    private static final Flags NAMES = Flags.named("0")
            .with("MAP_SHARED", MAP_SHARED)
            .with("MAP_PRIVATE", MAP_PRIVATE)
            .with("MAP_FIXED", MAP_FIXED)
            .with("MAP_ANONYMOUS", MAP_ANONYMOUS);

    private MapFlags() {}

    /** {@return their names, joined by {@code |}} */
    public static String text(long flags) {
        return NAMES.text(flags);
    }

    /** {@return them as an argument that prints their names} */
    public static Arg.Value of(long flags) {
        return NAMES.of(flags);
    }
}
