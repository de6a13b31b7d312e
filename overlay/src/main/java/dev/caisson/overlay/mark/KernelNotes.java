// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mark;

import java.util.Set;

/**
 * What the kernel notes in an upper for itself: where a file was copied up from, by a handle that means something on this very
 * disk only. A copy must not have it, and two layers do not differ by it.
 */
public final class KernelNotes {
    private static final Set<String> NAMES = Set.of("origin", "impure", "nlink", "upper", "uuid", "protattr");

    private KernelNotes() {}

    /** {@return whether an extended attribute is such a note, not a mark and not the user's} */
    public static boolean isNote(String attribute) {
        for (var names : XattrNamespace.values()) {
            if (names.isOwn(attribute)) {
                return NAMES.contains(attribute.substring(attribute.lastIndexOf('.') + 1));
            }
        }
        return false;
    }
}
