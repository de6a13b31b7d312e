// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.store;

import static dev.caisson.overlay.store.StoreDirectory.BRANCHES;
import static dev.caisson.overlay.store.StoreDirectory.CONTENTS;
import static dev.caisson.overlay.store.StoreDirectory.LAYERS;
import static dev.caisson.overlay.store.StoreDirectory.LEASES;
import static dev.caisson.overlay.store.StoreDirectory.LOCK;
import static dev.caisson.overlay.store.StoreDirectory.RECORD;
import static dev.caisson.overlay.store.StoreDirectory.REFERENCES;

import dev.caisson.linux.sys.FileData;
import dev.caisson.linux.sys.OwnedFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Finds what nothing in a store refers to, and removes it: mark and sweep. */
final class LayerSweep {
    private final LayerStore store;
    private final StoreDirectory directory;

    LayerSweep(LayerStore store) {
        this.store = store;
        this.directory = store.directory();
    }

    /** Drops layers whose trees may have been in memory when the machine went down, and all that is made on them. */
    void dropDoubtful() throws IOException {
        var all = store.all();
        var doubtful = new HashSet<LayerId>();
        for (String name : directory.names(LAYERS)) {
            var record = LayerRecord.read(directory.path(LAYERS, name, RECORD));
            if (record.isEmpty() || record.get().isDoubtful()) {
                doubtful.add(LayerStore.id(name));
            }
        }
        boolean more = true;
        while (more) {
            more = false;
            for (var layer : all.values()) {
                boolean orphaned = layer.parent()
                        .filter(p -> doubtful.contains(p) || !all.containsKey(p))
                        .isPresent();
                more |= orphaned && doubtful.add(layer.id());
            }
        }
        for (var id : doubtful) {
            store.trash().discard(directory.path(LAYERS, LayerStore.file(id)));
        }
    }

    /** {@return the layers that names, living leases and living branches refer to, one for each} */
    List<LayerId> roots() throws IOException {
        var roots = new ArrayList<>(store.references().values());
        for (String name : directory.names(LEASES)) {
            Path lease = directory.path(LEASES, name);
            if (!OwnedFile.isAbandoned(lease)) {
                directory.read(lease).ifPresent(id -> roots.add(LayerId.parse(id)));
            }
        }
        for (String name : directory.names(BRANCHES)) {
            if (!OwnedFile.isAbandoned(directory.path(BRANCHES, name, LOCK))) {
                LayerRecord.read(directory.path(BRANCHES, name, RECORD))
                        .flatMap(LayerRecord::parent)
                        .ifPresent(id -> roots.add(LayerId.parse(id)));
            }
        }
        return roots;
    }

    LayerStore.Swept sweep() throws IOException {
        var gone = new ArrayList<LayerId>();
        int branches = 0;
        try (var _ = directory.lock(FileData.Lock.EXCLUSIVE)) {
            var all = store.all();
            var marked = new HashSet<LayerId>();
            for (var root : roots()) {
                for (var id = Optional.of(root);
                        id.isPresent() && all.containsKey(id.get()) && marked.add(id.get()); ) {
                    id = all.get(id.get()).parent();
                }
            }
            for (String name : directory.names(LAYERS)) {
                if (marked.contains(LayerStore.id(name))) {
                    directory.removeUnfinished(directory.path(LAYERS, name));
                } else {
                    store.trash().discard(directory.path(LAYERS, name));
                    gone.add(LayerStore.id(name));
                }
            }
            for (String name : directory.names(BRANCHES)) {
                if (OwnedFile.isAbandoned(directory.path(BRANCHES, name, LOCK))
                        && store.trash().discardIfThere(directory.path(BRANCHES, name))) {
                    branches++;
                }
            }
            for (String name : directory.names(LEASES)) {
                if (OwnedFile.isAbandoned(directory.path(LEASES, name))) {
                    Files.deleteIfExists(directory.path(LEASES, name));
                }
            }
            dropDangling(marked);
            // Whoever writes there holds the store's lock, so that these are of nobody alive.
            directory.removeUnfinished(directory.path(REFERENCES));
            directory.removeUnfinished(directory.path(CONTENTS));
            directory.removeUnfinished(directory.path(LEASES));
        }
        store.trash().empty();
        return new LayerStore.Swept(List.copyOf(gone), branches);
    }

    private void dropDangling(Set<LayerId> marked) throws IOException {
        for (String name : directory.names(CONTENTS)) {
            Path file = directory.path(CONTENTS, name);
            var id = directory.read(file);
            if (id.isPresent() && !marked.contains(LayerId.parse(id.get()))) {
                Files.deleteIfExists(file);
            }
        }
    }
}
