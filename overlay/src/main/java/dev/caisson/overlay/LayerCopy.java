// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.Fd;
import dev.caisson.overlay.store.Layer;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.overlay.tree.LayerTree;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Makes a layer of an upper that is not in a store, by a copy. */
final class LayerCopy {
    private LayerCopy() {}

    /**
     * {@return the layer, under a name}
     *
     * @param upper which nobody changes meanwhile
     * @param lower what it lies on
     */
    static Layer of(Fd upper, List<Path> lower, LayerStore store, String name) throws IOException {
        try (var branch = store.branch(lower.toArray(Path[]::new))) {
            LayerTree.copy(upper, branch.upper());
            return branch.commit(name);
        } catch (LinuxException refused) {
            throw new IOException("commit: " + refused.getMessage(), refused);
        }
    }
}
