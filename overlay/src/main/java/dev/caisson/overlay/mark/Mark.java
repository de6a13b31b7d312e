// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mark;

import java.util.Optional;

/** What an entry of a layer stands for (Documentation/filesystems/overlayfs.rst). */
public sealed interface Mark {
    /** An entry without a mark: it is what it is. */
    Mark NONE = new File(false, Optional.empty());

    /** A directory without a mark: what the layers below have under its name shows through. */
    Directory PLAIN_DIRECTORY = new Directory(false, false, false, Optional.empty());

    /** Nothing of this name: what the layers below have is hidden. */
    record Whiteout(Encoding encoding) implements Mark {}

    /** How a whiteout is written. */
    enum Encoding {
        /** A character device 0:0, since Linux 3.18. */
        DEVICE,
        /** An empty file with an attribute, in a directory marked to hold such, since Linux 6.7: overlays can store it. */
        XATTR
    }

    /**
     * A directory.
     *
     * @param opaque whether it hides all that the layers below have under its name
     * @param holdsXattrWhiteouts whether whiteouts in it may be {@link Encoding#XATTR}
     * @param impure whether something in it may have come from the layers below; the kernel marks it before that is so
     * @param redirect what it shows from the layers below instead of what has its own name: an absolute path within the
     *     layer, or a name in the same directory
     */
    record Directory(boolean opaque, boolean holdsXattrWhiteouts, boolean impure, Optional<String> redirect)
            implements Mark {}

    /**
     * Anything but a directory.
     *
     * @param metacopy whether only its metadata are here, and its content is in a layer below
     * @param redirect where that content is, as for a directory
     */
    record File(boolean metacopy, Optional<String> redirect) implements Mark {}
}
