// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.flag.FileTypes;
import dev.caisson.spec.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the source of a bind mount was when the launch was planned, and has to be when it is copied. */
enum SourceKind {
    DIRECTORY,
    DEVICE,
    /** A regular file, a pipe or a socket. */
    FILE;

    static final int CHARACTER_DEVICE = FileTypes.S_IFCHR;

    private static final int TYPE = FileTypes.S_IFMT;
    private static final int BLOCK_DEVICE = FileTypes.S_IFBLK;

    /** {@return the kinds of all sources} */
    static Map<Path, SourceKind> of(List<Mount> mounts) {
        var kinds = new HashMap<Path, SourceKind>();
        for (var mount : mounts) {
            if (mount instanceof Mount.Bind bind) {
                kinds.put(bind.source(), of(bind.source()));
            }
        }
        return Map.copyOf(kinds);
    }

    private static SourceKind of(Path source) {
        int mode;
        try {
            mode = (int) Files.getAttribute(source, "unix:mode");
        } catch (IOException missing) {
            return DIRECTORY; // It is made before the launch, or openat(2) will say what is wrong with it.
        }
        return switch (mode & TYPE) {
            case 0040000 -> DIRECTORY;
            case CHARACTER_DEVICE, BLOCK_DEVICE -> DEVICE;
            default -> FILE;
        };
    }
}
