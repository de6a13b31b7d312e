// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.store;

import static dev.caisson.overlay.store.StoreDirectory.CONTENTS;
import static dev.caisson.overlay.store.StoreDirectory.LAYERS;
import static dev.caisson.overlay.store.StoreDirectory.LEASES;
import static dev.caisson.overlay.store.StoreDirectory.RECORD;
import static dev.caisson.overlay.store.StoreDirectory.REFERENCES;
import static dev.caisson.overlay.store.StoreDirectory.TREE;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.RenameFlags;
import dev.caisson.linux.sys.FileData;
import dev.caisson.linux.sys.OwnedFile;
import dev.caisson.overlay.mark.KernelNotes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * Layers on disk, kept by id, shared by everything made on them.
 *
 * {@snippet :
 * try (var store = LayerStore.open(Path.of("/var/lib/app/layers"));
 *         var branch = store.branch(Path.of("/srv/root"))) {
 *     // run a container over branch.lower() with branch.upper() and branch.work(), end it, then
 *     Layer built = branch.commit("app");        // nothing is copied
 *     Branch test = store.branch(built);          // shares it; test.reset() takes a millisecond
 * }
 * }
 *
 * <p>A layer is kept while something refers to it: a {@linkplain #reference name}, a {@link #lease}, a {@link Branch} or a layer
 * made on it. {@link #sweep} removes the others. Leases and branches end with the process that holds them, however that ends.
 *
 * <p>A layer appears whole or not at all. It outlives this process at once, and a failure of the power from the next {@link
 * #sync} on: what was made after it is dropped by {@link #open} when the machine has been down, never shown half-written.
 *
 * <p>Any number of processes and threads may use one store at a time. It needs a file system of its own kind for uppers: with
 * extended attributes, and no overlay itself.
 */
public final class LayerStore implements AutoCloseable {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.:@+-]{0,199}");

    private final StoreDirectory directory;
    private final Trash trash;

    private LayerStore(StoreDirectory directory, Trash trash) {
        this.directory = directory;
        this.trash = trash;
    }

    /** Opens a store; the directory is made if it is missing. */
    public static LayerStore open(Path directory) throws IOException {
        return open(directory, Removal.here());
    }

    /** As above, with another way to remove trees. */
    public static LayerStore open(Path directory, Removal removal) throws IOException {
        var files = StoreDirectory.open(directory);
        var store = new LayerStore(files, new Trash(files, removal));
        try (var _ = files.lock(FileData.Lock.EXCLUSIVE)) {
            new LayerSweep(store).dropDoubtful();
        }
        return store;
    }

    static String file(LayerId id) {
        // Without the colon, which separates layers in the options of overlayfs.
        return id.kind() + "-" + id.value();
    }

    static LayerId id(String file) {
        int dash = file.indexOf('-');
        return new LayerId(file.substring(0, dash), file.substring(dash + 1));
    }

    private Optional<Layer> read(LayerId id) throws IOException {
        var record = LayerRecord.read(directory.path(LAYERS, file(id), RECORD));
        return record.map(r ->
                new Layer(id, directory.path(LAYERS, file(id), TREE), r.parent().map(LayerId::parse), r.outside()));
    }

    Map<LayerId, Layer> all() throws IOException {
        var all = new LinkedHashMap<LayerId, Layer>();
        for (String name : directory.names(LAYERS)) {
            var id = id(name);
            read(id).ifPresent(layer -> all.put(id, layer));
        }
        return all;
    }

    /** {@return all layers} */
    public List<Layer> layers() throws IOException {
        return List.copyOf(all().values());
    }

    /** {@return the layer of an id, also of a {@code tree:} id that {@link #identify} has found} */
    public Optional<Layer> find(LayerId id) throws IOException {
        var found = read(id);
        if (found.isPresent()) {
            return found;
        }
        var content = directory.read(directory.path(CONTENTS, file(id)));
        return content.isPresent() ? read(LayerId.parse(content.get())) : Optional.empty();
    }

    /**
     * {@return the directories of a layer and of everything below it, topmost first, as {@code lower} takes them}
     *
     * @throws IOException if one is gone
     */
    public List<Path> stack(Layer top) throws IOException {
        var stack = new ArrayList<Path>();
        var layer = top;
        while (true) {
            stack.add(layer.directory());
            if (layer.parent().isEmpty()) {
                stack.addAll(layer.outside());
                return stack;
            }
            layer = present(layer.parent().get());
        }
    }

    private Layer present(LayerId id) throws IOException {
        return read(id).orElseThrow(() -> new NoSuchFileException(
                directory.path(LAYERS, file(id)).toString(), null, "the layer " + id + " is not in the store"));
    }

    /** {@return a new writable layer on a layer} */
    public Branch branch(Layer base) throws IOException {
        try (var _ = directory.lock(FileData.Lock.SHARED)) {
            var present = present(base.id());
            return Branch.make(this, Optional.of(present.id()), List.of(), stack(present));
        }
    }

    /**
     * {@return a new writable layer on directories, topmost first; nobody may change them} Those of a whole {@link #stack} count as
     * its layer.
     */
    public Branch branch(Path... below) throws IOException {
        if (below.length == 0) {
            throw new IllegalArgumentException("branch: it needs a directory or layer to lie on");
        }
        var outside = new ArrayList<Path>();
        for (Path path : below) {
            if (!Files.isDirectory(path)) {
                throw new IllegalArgumentException("branch: " + HostPath.shown(path) + " is not a directory");
            }
            outside.add(path.toAbsolutePath().normalize());
        }
        try (var _ = directory.lock(FileData.Lock.SHARED)) {
            Path layers = directory.path(LAYERS);
            if (outside.getFirst().startsWith(layers)) {
                var top = present(
                        id(layers.relativize(outside.getFirst()).getName(0).toString()));
                if (stack(top).equals(outside)) {
                    return Branch.make(this, Optional.of(top.id()), List.of(), outside);
                }
            }
            if (outside.stream().anyMatch(p -> p.startsWith(directory.path(LAYERS)))) {
                throw new IllegalArgumentException("branch: " + HostPath.shown(outside)
                        + " has layers of the store, but not all of a layer's stack and nothing else");
            }
            return Branch.make(this, Optional.empty(), outside, outside);
        }
    }

    /** Fills the directory that will be a layer. */
    @FunctionalInterface
    public interface Filler {
        /**
         * Writes what the layer is to have.
         *
         * @param tree an empty directory
         * @throws IOException to give up: then nothing becomes of the layer
         */
        void fill(Path tree) throws IOException;
    }

    /**
     * Adds a layer of a known id, such as one of an image.
     *
     * @param parent the layer it lies on
     * @param filler is not called if the layer is there already; if it throws, nothing has been added
     */
    public Layer add(LayerId id, Optional<Layer> parent, Filler filler) throws IOException {
        return add(id, parent, List.of(), filler);
    }

    Layer add(LayerId id, Optional<Layer> parent, List<Path> outside, Filler filler) throws IOException {
        var known = read(id);
        if (known.isPresent()) {
            return known.get();
        }
        try (var staged = staged(parent, outside)) {
            filler.fill(staged.upper());
            return staged.become(id);
        }
    }

    private Branch staged(Optional<Layer> parent, List<Path> outside) throws IOException {
        try (var _ = directory.lock(FileData.Lock.SHARED)) {
            List<Path> below = outside;
            if (parent.isPresent()) {
                below = stack(present(parent.get().id()));
            }
            return Branch.make(this, parent.map(Layer::id), outside, below);
        }
    }

    /**
     * Moves a finished branch to its place. It is a layer from the rename on.
     *
     * @param name under which it is kept, from the same moment on for every sweep
     */
    Layer settle(Path branch, LayerId id, Optional<String> name) throws IOException {
        try (var _ = directory.lock(FileData.Lock.SHARED)) {
            Path place = directory.path(LAYERS, file(id));
            try {
                StoreDirectory.rename(branch, place, RenameFlags.RENAME_NOREPLACE);
            } catch (LinuxException taken) {
                if (!taken.errno().equals(Errno.EEXIST) && !taken.errno().equals(Errno.ENOTEMPTY)) {
                    throw taken;
                }
                // Somebody else was faster; the branch is discarded by its owner.
            }
            var layer = present(id);
            if (name.isPresent()) {
                refer(name.get(), layer);
            }
            return layer;
        }
    }

    /**
     * Reads a layer and finds its content id. If a layer of the same content is there already, that one is the answer, and the
     * given one is not needed any more; else the layer can be found by its content id from now on.
     *
     * @return the layer to use; its {@code tree:} id leads to it by {@link #find}
     */
    public Identified identify(Layer layer) throws IOException {
        String below = layer.parent().isPresent()
                ? identify(present(layer.parent().get())).content().toString()
                : layer.outside().stream().map(HostPath::of).toList().toString();
        var content = new LayerId("tree", TreeDigest.of(layer.directory(), below, xattr -> !KernelNotes.isNote(xattr)));
        try (var _ = directory.lock(FileData.Lock.SHARED)) {
            var known = find(content);
            if (known.isEmpty()) {
                directory.write(
                        directory.path(CONTENTS, file(content)), layer.id().toString());
            }
            return new Identified(content, known.orElse(layer));
        }
    }

    /** A layer and its content id. */
    public record Identified(LayerId content, Layer layer) {}

    /** Keeps a layer, and all below it, under a name; a name that is there leads to this layer from now on. */
    public void reference(String name, Layer layer) throws IOException {
        try (var _ = directory.lock(FileData.Lock.SHARED)) {
            refer(checked(name), present(layer.id()));
        }
    }

    private void refer(String name, Layer layer) throws IOException {
        directory.write(directory.path(REFERENCES, name), layer.id().toString());
    }

    /** Takes a name away; does nothing if it is not there. */
    public void release(String name) throws IOException {
        Files.deleteIfExists(directory.path(REFERENCES, checked(name)));
    }

    static String checked(String name) {
        if (name.endsWith(StoreDirectory.NEXT)) {
            throw new IllegalArgumentException("reference: \"" + name + "\" ends in " + StoreDirectory.NEXT
                    + ", which names of files that are being written end in");
        }
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("reference: \"" + name
                    + "\" is not a name of at most 200 letters, digits and _.:@+-, with a letter or digit first");
        }
        return name;
    }

    /** {@return the layer a name leads to} */
    public Optional<Layer> referenced(String name) throws IOException {
        var id = directory.read(directory.path(REFERENCES, checked(name)));
        return id.isPresent() ? read(LayerId.parse(id.get())) : Optional.empty();
    }

    /** {@return all names and where they lead} */
    public Map<String, LayerId> references() throws IOException {
        var all = new LinkedHashMap<String, LayerId>();
        for (String name : directory.names(REFERENCES)) {
            directory.read(directory.path(REFERENCES, name)).ifPresent(id -> all.put(name, LayerId.parse(id)));
        }
        return all;
    }

    /** {@return a claim that keeps a layer and all below it while a container runs on it} */
    public LayerLease lease(Layer layer) throws IOException {
        try (var _ = directory.lock(FileData.Lock.SHARED)) {
            var id = present(layer.id()).id();
            Path file = directory.path(LEASES, UUID.randomUUID().toString());
            return new LayerLease(List.of(new LayerLease.Claim(file, OwnedFile.make(file, id.toString()))));
        }
    }

    /** {@return how many names, leases, branches and layers refer to a layer directly} */
    public int count(Layer layer) throws IOException {
        try (var _ = directory.lock(FileData.Lock.SHARED)) {
            int children = (int) all().values().stream()
                    .filter(l -> l.parent().equals(Optional.of(layer.id())))
                    .count();
            return children
                    + (int) new LayerSweep(this)
                            .roots().stream().filter(layer.id()::equals).count();
        }
    }

    /**
     * What a sweep removed.
     *
     * @param layers those that nothing referred to
     * @param branches those whose owners are dead
     */
    public record Swept(List<LayerId> layers, int branches) {}

    /** Removes every layer that nothing refers to, and what processes that were killed have left. */
    public Swept sweep() throws IOException {
        return new LayerSweep(this).sweep();
    }

    /** Waits until all layers are on disk, so that they survive a failure of the power. */
    public void sync() throws IOException {
        try (var _ = directory.lock(FileData.Lock.SHARED)) {
            var layers = all().values();
            directory.syncAll();
            for (var layer : layers) {
                Path file = directory.path(LAYERS, file(layer.id()), RECORD);
                var record = LayerRecord.read(file);
                if (record.isPresent() && record.get().boot().isPresent()) {
                    directory.write(file, record.get().synced().text());
                }
            }
            directory.sync(LAYERS);
        }
    }

    StoreDirectory directory() {
        return directory;
    }

    Trash trash() {
        return trash;
    }

    /**
     * Waits until what was discarded is removed. Layers stay.
     *
     * @throws IOException if something could not be removed; a sweep tries again
     */
    @Override
    public void close() throws IOException {
        trash.close();
    }

    @Override
    public String toString() {
        return "LayerStore[" + directory + "]";
    }
}
