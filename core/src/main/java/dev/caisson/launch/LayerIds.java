// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.spec.IdMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whose the files of layers are inside a user namespace. */
public enum LayerIds {
    /**
     * What belongs to root on disk belongs to root inside, where the kernel can show it so; else as on disk. The host's own
     * root is not shown so: what its root alone may read is not for a container's.
     */
    MAPPED_WHERE_POSSIBLE,

    /** As above, or the launch fails. */
    MAPPED,

    /** The owners are those on disk, so that root's files are nobody's inside. */
    AS_ON_DISK;

    private static final Path HOST = Path.of("/");

    /**
     * {@return whether a layer's files have their ids on disk after all} The host's root has, unless the caller asked
     * otherwise, and so has a layer that was written inside such a user namespace, which its own directory shows: to map its
     * ids once more would make them nobody's.
     */
    boolean keptBy(Path layer, IdMap map) throws IOException {
        if (this == AS_ON_DISK || this == MAPPED_WHERE_POSSIBLE && layer.equals(HOST)) {
            return true;
        }
        long uid = Integer.toUnsignedLong((int) Files.getAttribute(layer, "unix:uid"));
        return uid != 0 && map.uids().stream().anyMatch(range -> range.inside() == 0 && range.outside() == uid);
    }
}
