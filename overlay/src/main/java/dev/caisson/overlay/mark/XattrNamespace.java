// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mark;

/**
 * Which extended attributes carry the marks of overlayfs. The kernel reads one kind only, by how it was mounted: a program
 * may write {@code user.*} attributes as it likes, so the other kind means nothing.
 */
public enum XattrNamespace {
    /** Written and read by root alone. */
    TRUSTED("trusted.overlay."),
    /** Of overlays mounted with {@code userxattr}, as they are in a user namespace (Linux 5.11). */
    USER("user.overlay.");

    private final String prefix;

    XattrNamespace(String prefix) {
        this.prefix = prefix;
    }

    String opaque() {
        return prefix + "opaque";
    }

    String redirect() {
        return prefix + "redirect";
    }

    String metacopy() {
        return prefix + "metacopy";
    }

    String whiteout() {
        return prefix + "whiteout";
    }

    String impure() {
        return prefix + "impure";
    }

    /** {@return whether an attribute is overlayfs's own bookkeeping, which a mounted overlay does not show} */
    public boolean isOwn(String attribute) {
        return attribute.startsWith(prefix);
    }
}
