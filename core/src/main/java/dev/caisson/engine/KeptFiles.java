// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.MissingProgram;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.overlay.Overlay;
import dev.caisson.overlay.OverlayMount;
import dev.caisson.overlay.OverlayOptions;
import dev.caisson.overlay.changes.Change;
import dev.caisson.overlay.changes.CopyUp;
import dev.caisson.overlay.changes.LayerWatch;
import dev.caisson.overlay.store.Layer;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.overlay.tree.LayerTree;
import dev.caisson.overlay.tree.SafeTree;
import dev.caisson.overlay.tree.TreeFileSystem;
import dev.caisson.spec.IdMap;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.Cleaner;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The files of a container, from its launch until it is closed, or forgotten. Thread-safe. */
public final class KeptFiles implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final Kept kept;
    private final Optional<SafeTree.Owner> owner;
    private final Optional<Layers> layers;
    private @Nullable TreeFileSystem fileSystem;
    private Cleaner.@Nullable Cleanable forgotten;
    private boolean closed;

    /**
     * What the root is made of.
     *
     * @param overlay the layers; without an upper if that is in memory
     * @param watch on them since before the launch
     * @param fallback what merges them if not the kernel; not this object's to close
     * @param inUserNamespace whether the overlay's marks are those of a user namespace
     * @param seenThrough the map by which the lower layers' ids are seen, if not as they are
     */
    record Layers(
            Overlay overlay,
            LayerWatch watch,
            @Nullable OverlayMount fallback,
            boolean inUserNamespace,
            Optional<IdMap> seenThrough) {
        List<Path> lower() {
            return overlay.lower();
        }

        Optional<Path> upper() {
            return overlay.upper().map(Overlay.Upper::directory);
        }

        boolean isCopy() {
            return fallback != null && fallback.copy().isPresent();
        }
    }

    /**
     * Takes ownership of what is kept.
     *
     * @param owner of the files that the JVM makes, if it may make them as the root of the container's user namespace
     * @param layers empty if the root is not one overlay
     */
    KeptFiles(Kept kept, Optional<SafeTree.Owner> owner, Optional<Layers> layers) {
        this.kept = kept;
        this.owner = owner;
        this.layers = layers;
    }

    /**
     * {@return the files of a detached container}
     *
     * @param socket in which the message with its root lies; owned by what is returned
     * @param uid root of its user namespace, if this process may act as that
     * @param gid likewise
     */
    public static KeptFiles ofDetached(Fd socket, OptionalLong uid, OptionalLong gid) {
        return new KeptFiles(
                new Kept(socket),
                uid.isPresent() && gid.isPresent()
                        ? Optional.of(new SafeTree.Owner(uid.getAsLong(), gid.getAsLong()))
                        : Optional.empty(),
                Optional.empty());
    }

    /** Sees to it that a container nobody closed and nobody holds gives back what it keeps. */
    public synchronized void closeWithoutFail(Object holder) {
        var keptByNobody = kept;
        var mergedForNobody = layers.map(Layers::fallback).orElse(null);
        forgotten = CLEANER.register(holder, () -> {
            keptByNobody.close();
            if (mergedForNobody != null) {
                try {
                    mergedForNobody.close();
                } catch (IOException nobodyToTell) {
                    // The next copy in that place removes what is left of this one once the JVM is gone.
                }
            }
        });
    }

    public synchronized TreeFileSystem fileSystem() {
        checkOpen();
        if (fileSystem == null) {
            try {
                Fd root = Files.duplicate(kept.open().root().number());
                fileSystem = TreeFileSystem.over(root, "a container", owner);
                var _ = CLEANER.register(fileSystem, root::close);
            } catch (IOException tooMany) {
                throw new UncheckedIOException("fs: " + tooMany.getMessage(), tooMany);
            }
        }
        return fileSystem;
    }

    /** {@return why the program of a command cannot be found, if that is an interpreter's fault} */
    Optional<String> whyMissing(LaunchPlan plan) {
        try {
            return MissingProgram.look(kept.open().root(), plan);
        } catch (IOException sayNoMore) {
            return Optional.empty(); // The refusal itself is known, and is what matters.
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("fs: the container is closed, and its files are let go");
        }
    }

    private Layers layers() {
        return layers.orElseThrow(() -> new IllegalStateException(
                "the container's root is not made of layers under one writable one; start it with lower(...),"
                        + " and not with lower(\"/\") in a user namespace"));
    }

    /** {@return a path of this process to the writable layer} */
    private synchronized Path writable() throws IOException {
        checkOpen();
        // What a fallback keeps in memory is not in the workshop.
        var directory = layers().upper();
        return directory.isPresent()
                ? directory.get()
                : Path.of(At.self(kept.open().workshop()), "upper");
    }

    public Stream<Change> changes() throws IOException {
        var fallback = layers().fallback();
        if (fallback != null) {
            checkOpen();
            return fallback.changes();
        }
        var map = layers().seenThrough();
        return overlay()
                .changes(
                        id -> map.isEmpty() ? id : seen(map.get().uids(), id),
                        id -> map.isEmpty() ? id : seen(map.get().gids(), id),
                        layers().watch());
    }

    /** {@return what tells which layers were changed since the launch} */
    public LayerWatch watch() {
        return layers().watch();
    }

    private static long seen(List<IdMap.Range> ranges, long id) {
        return ranges.stream()
                .filter(r -> id >= r.inside() && id - r.inside() < r.count())
                .mapToLong(r -> r.outside() + id - r.inside())
                .findFirst()
                .orElse(-1);
    }

    /** {@return the layers, for questions about where things come from} */
    public Overlay explained() throws IOException {
        if (layers().isCopy()) {
            throw new IllegalStateException(
                    "origin: the root is a copy of its layers, by overlayFallback; ask Overlay.explain about the layers");
        }
        return overlay();
    }

    /** {@return the layers, for questions about what the container changed} */
    Overlay overlay() throws IOException {
        var known = layers();
        Path upper = writable();
        var marks = known.inUserNamespace() && known.fallback() == null
                ? OverlayOptions.Attributes.USER
                : OverlayOptions.Attributes.TRUSTED;
        return Overlay.of(known.lower().toArray(Path[]::new))
                .withUpper(new Overlay.Upper(upper, upper.resolveSibling("work")))
                .withOptions(OverlayOptions.defaults().attributes(marks));
    }

    public CopyUp.Cost copyUpCost(String path) throws IOException {
        var known = layers();
        var files = fileSystem();
        var root = files.getPath(path).toRealPath();
        if (known.isCopy()) {
            return CopyUp.Cost.NONE; // It was paid for already.
        }
        Object layersMount = mountOf(files.getPath("/"));
        if (!layersMount.equals(mountOf(root))) {
            return CopyUp.Cost.NONE; // A volume, or a file system in memory.
        }
        try (var prediction =
                new CopyUp(writable(), known.lower(), known.inUserNamespace() && known.fallback() == null)) {
            return java.nio.file.Files.isDirectory(root, LinkOption.NOFOLLOW_LINKS)
                    ? ofTree(prediction, root, layersMount)
                    : prediction.of(root.toString());
        } catch (UncheckedIOException refused) {
            throw refused.getCause();
        }
    }

    private static Object mountOf(Path path) throws IOException {
        return java.nio.file.Files.getAttribute(path, "unix:mountId", LinkOption.NOFOLLOW_LINKS);
    }

    /** What is mounted in the tree is not in the layers, and costs nothing. */
    private static CopyUp.Cost ofTree(CopyUp prediction, Path root, Object layersMount) throws IOException {
        long directories = 0;
        var total = CopyUp.Cost.NONE;
        try (var walk = java.nio.file.Files.walk(root)) {
            for (Path path : (Iterable<Path>) walk::iterator) {
                if (!layersMount.equals(mountOf(path))) {
                    continue;
                }
                boolean isDirectory = java.nio.file.Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
                var one = prediction.of(path.toString());
                if (isDirectory && one.directories() > 0) {
                    // The way to the top is counted once, with it.
                    directories += path.equals(root) ? one.directories() : 1;
                } else if (!isDirectory) {
                    total = total.plus(one);
                }
            }
        }
        return new CopyUp.Cost(
                total.files(),
                total.bytes(),
                total.allocatedBytes(),
                total.sharedBytes(),
                directories,
                total.otherNames());
    }

    public Layer commit(LayerStore store, String name) throws IOException {
        var fallback = layers().fallback();
        if (fallback != null) {
            checkOpen();
            return fallback.commit(store, name);
        }
        var changed = layers().watch().changedAtTheTop();
        if (changed.isPresent()) {
            throw new IOException("commit: the layer " + HostPath.shown(changed.get())
                    + " was changed or replaced while the container used it, so that its changes are not to what the"
                    + " layer is now; run it again, and leave the layer alone meanwhile");
        }
        return overlay().commit(store, name);
    }

    /**
     * Copies the writable layer.
     *
     * @param directory that is not there yet
     */
    public void copyTo(Path directory) throws IOException {
        if (layers().fallback() != null) {
            throw new IllegalStateException(
                    "snapshot to a directory contradicts layers that were merged by overlayFallback:"
                            + " take it to a layer store");
        }
        if (java.nio.file.Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
            throw new FileAlreadyExistsException(directory.toString(), null, "snapshot: a new directory is made there");
        }
        try {
            LayerTree.copy(writable(), directory);
        } catch (IOException | RuntimeException | Error failed) {
            try {
                LayerTree.remove(directory);
            } catch (IOException left) {
                failed.addSuppressed(left);
            }
            throw failed;
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (fileSystem != null) {
            fileSystem.close();
        }
        if (forgotten == null) {
            kept.close();
        } else {
            forgotten.clean();
        }
    }
}
