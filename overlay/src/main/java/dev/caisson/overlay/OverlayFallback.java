// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import java.nio.file.Path;
import java.util.List;

/**
 * Another way to merge layers, for where the kernel refuses: an upper or a third layer of overlays, a file system without
 * extended attributes, a kernel or LSM without overlayfs. Nothing falls back unless ways are named ({@link
 * Overlay#withFallbacks}); they are tried in that order, and which one was taken, and why, stands in {@link Taken}.
 *
 * <p>With each of them {@code changes()} and {@code commit} are as exact as with the kernel's overlay, at the cost of a walk over
 * all of the merged tree.
 */
public sealed interface OverlayFallback {
    /**
     * The program fuse-overlayfs(1), found in {@code PATH}. Costs: each access goes through a process of its own, which has the
     * privileges of this one and ends with the mount. Takes root, /dev/fuse and Linux 5.12. It knows neither redirects nor
     * metacopy, and mixes up hard links of which a higher layer replaces one; several layers are looked through for these, and
     * it is passed over where they are. A directory of a lower layer cannot be renamed (EXDEV). Version 1.10 also
     * refuses, rarely, what it should do (seen: ENOENT for a directory made in the place of one that was removed).
     */
    record FuseOverlayfs() implements OverlayFallback {}

    /**
     * A copy of the merged tree whose files share their blocks with the layers until they are written to (FICLONE: btrfs, xfs,
     * bcachefs). Costs: an inode for each file of the layers, at once. The upper must be in memory, without a size: there
     * is none, and the copy goes with the mount.
     *
     * @param directory where copies are made, on the file system of the layers; those of dead processes are removed from it
     */
    record Reflink(Path directory) implements OverlayFallback {
        public Reflink {
            directory = directory.toAbsolutePath().normalize();
        }
    }

    /**
     * A copy of the merged tree. Costs: all bytes of the layers, read and written before anything runs. Else as {@link Reflink}.
     *
     * @param directory where copies are made; those of dead processes are removed from it
     */
    record Copy(Path directory) implements OverlayFallback {
        public Copy {
            directory = directory.toAbsolutePath().normalize();
        }
    }

    /**
     * What was done instead of an overlay of the kernel.
     *
     * @param way the fallback
     * @param because why the kernel's overlay, and the fallbacks named before, could not be had
     */
    record Taken(OverlayFallback way, String because) {}

    /** {@return fuse-overlayfs if it can be had, else a copy that shares blocks, else a copy, in this directory} */
    static List<OverlayFallback> any(Path directory) {
        return List.of(new FuseOverlayfs(), new Reflink(directory), new Copy(directory));
    }
}
