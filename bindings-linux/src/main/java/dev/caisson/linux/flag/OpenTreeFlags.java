// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Flags;

/** Flags of open_tree(2), beside those of {@link AtFlags}. */
public final class OpenTreeFlags {
    public static final int OPEN_TREE_CLONE = 0x1;

    /** {@link OpenFlags#O_CLOEXEC}, on all architectures. */
    public static final int OPEN_TREE_CLOEXEC = 0x80000;

    private static final Flags NAMES =
            Flags.named("0").with("OPEN_TREE_CLONE", OPEN_TREE_CLONE).with("OPEN_TREE_CLOEXEC", OPEN_TREE_CLOEXEC);

    private OpenTreeFlags() {}

    /** {@return their names, joined by {@code |}} */
    public static String text(long flags) {
        return NAMES.text(flags);
    }

    /** {@return them as an argument that prints their names} */
    public static Arg.Value of(long flags) {
        return NAMES.of(flags);
    }
}
