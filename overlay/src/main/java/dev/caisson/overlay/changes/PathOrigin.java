// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.changes;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Where a path of the merged tree comes from.
 *
 * @param path absolute within the merged tree
 * @param kind what shows there; empty if nothing does
 * @param layers what each layer has under that path, topmost first; those that have nothing are left out
 */
public record PathOrigin(String path, Optional<Change.Kind> kind, List<InLayer> layers) {
    public PathOrigin {
        layers = List.copyOf(layers);
    }

    /** What something in a layer does to the layers below it. */
    public enum Role {
        /** A file, link or device: it shows, and hides what is below. */
        FILE,
        /** A file's metadata; its content is in a layer below. */
        METADATA_ONLY,
        /** A directory, merged with those of the layers below. */
        DIRECTORY,
        /** A directory that hides those of the layers below. */
        OPAQUE_DIRECTORY,
        /** A directory that shows, in the layers below, what has another path there. */
        REDIRECT,
        /** Nothing is there, and what the layers below have is hidden. */
        WHITEOUT
    }

    /**
     * What one layer has there.
     *
     * @param layer the layer's directory on the host
     * @param redirect the other path, if there is one
     * @param shows whether it can be seen, in whole or, for a merged directory, in part
     */
    public record InLayer(Path layer, Role role, Optional<String> redirect, boolean shows) {}

    /** {@return the layer that what shows there comes from; for a merged directory the one that gives its permissions} */
    public Optional<Path> layer() {
        return kind.isEmpty()
                ? Optional.empty()
                : layers.stream().filter(InLayer::shows).map(InLayer::layer).findFirst();
    }
}
