// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mark;

import java.util.Optional;

/** The marks of an archived layer: plain file names (OCI image specification, "Whiteouts"). */
public final class OciNames {
    /** A file of this name makes its directory opaque. */
    public static final String OPAQUE = ".wh..wh..opq";

    private static final String WHITEOUT = ".wh.";

    private OciNames() {}

    /** {@return the name in an archive of a whiteout of {@code name}} */
    public static String whiteout(String name) {
        if (name.isEmpty() || name.indexOf('/') >= 0 || name.startsWith(WHITEOUT)) {
            throw new IllegalArgumentException(
                    "a name of the form \"" + name + "\" cannot be told from a mark in an archived layer");
        }
        return WHITEOUT + name;
    }

    /** {@return what an archived name hides; empty if it is not a whiteout} */
    public static Optional<String> hidden(String archived) {
        return archived.startsWith(WHITEOUT)
                        && !archived.startsWith(WHITEOUT + WHITEOUT)
                        && archived.length() > WHITEOUT.length()
                ? Optional.of(archived.substring(WHITEOUT.length()))
                : Optional.empty();
    }
}
