// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.store;

import java.util.regex.Pattern;

/**
 * What names a layer: how the name was made, and the name. {@code sha256:...} is the digest of an archived layer as image
 * formats have it (its "diff id"), {@code tree:...} the digest of a tree and all trees below it, {@code commit:...} a name
 * given to a tree that nobody has read yet.
 *
 * @param kind small letters and digits
 * @param value letters, digits, dashes and underscores, at most 128
 */
public record LayerId(String kind, String value) {
    private static final Pattern KIND = Pattern.compile("[a-z0-9]{1,32}");
    private static final Pattern VALUE = Pattern.compile("[A-Za-z0-9_-]{1,128}");

    public LayerId {
        if (!KIND.matcher(kind).matches() || !VALUE.matcher(value).matches()) {
            throw new IllegalArgumentException("layer id: \"" + kind + ":" + value
                    + "\" is not KIND:VALUE of letters and digits, such as sha256:0123abcd");
        }
    }

    /** {@return the id of its text} */
    public static LayerId parse(String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException("layer id: \"" + text + "\" is not KIND:VALUE, such as sha256:0123abcd");
        }
        return new LayerId(text.substring(0, colon), text.substring(colon + 1));
    }

    @Override
    public String toString() {
        return kind + ":" + value;
    }
}
