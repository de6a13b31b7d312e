// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.overlay.Overlay;
import java.nio.file.Path;
import java.util.Optional;

/** Where a root file system comes from. */
public sealed interface Root {
    /** The host's root as it is. */
    record OfHost() implements Root {}

    /** A directory used as it is. */
    record Directory(Path path) implements Root {}

    /** Layers under a writable one. */
    record Layers(Overlay overlay) implements Root {}

    /**
     * Layers that were merged before the launch, because the kernel would not merge them in it.
     *
     * @param directory of the merged tree; empty: the launch has it as a mount
     */
    record Merged(Overlay overlay, Optional<Path> directory) implements Root {}
}
