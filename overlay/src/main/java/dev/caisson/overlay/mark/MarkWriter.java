// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mark;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.flag.FileTypes;
import dev.caisson.linux.sys.Directory;

/** Writes marks into the directories of a layer that is not mounted. Immutable. */
public final class MarkWriter {
    private static final int EMPTY_FILE = FileTypes.S_IFREG;
    private static final int CHARACTER_DEVICE = FileTypes.S_IFCHR;
    private static final byte[] YES = {'y'};
    private static final byte[] HOLDS_WHITEOUTS = {'x'};

    private final XattrNamespace names;

    public MarkWriter(XattrNamespace names) {
        this.names = names;
    }

    /**
     * Hides what the layers below have under a name. Anybody may make a whiteout device since Linux 5.8.
     *
     * @param name nothing may be there
     */
    public void whiteout(Directory parent, String name, Mark.Encoding encoding) throws LinuxException {
        switch (encoding) {
            case DEVICE -> parent.makeNode(name, CHARACTER_DEVICE, 0);
            case XATTR -> {
                parent.makeNode(name, EMPTY_FILE, 0);
                parent.setXattr(name, names.whiteout(), YES);
                parent.setXattr(names.opaque(), HOLDS_WHITEOUTS);
            }
        }
    }

    /** Makes a directory hide all that the layers below have under its name. */
    public void opaque(Directory directory) throws LinuxException {
        directory.setXattr(names.opaque(), YES);
    }
}
