// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.store;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A layer in a {@link LayerStore}: a tree of changes, and what they were made to. It is not to be written to.
 *
 * @param directory the tree
 * @param parent the layer in the same store that it was made on
 * @param outside the directories outside the store that it, or its lowest parent, was made on, topmost first
 */
public record Layer(LayerId id, Path directory, Optional<LayerId> parent, List<Path> outside) {
    public Layer {
        outside = List.copyOf(outside);
    }
}
