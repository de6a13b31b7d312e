// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.HereRunner;
import dev.caisson.linux.sys.Kernel;
import dev.caisson.overlay.changes.Change;
import dev.caisson.overlay.changes.LayerWatch;
import dev.caisson.overlay.fallback.LayerWriter;
import dev.caisson.overlay.merged.Changes;
import dev.caisson.overlay.merged.Comparison;
import dev.caisson.overlay.mount.Diagnosis;
import dev.caisson.overlay.mount.OverlayMounter;
import dev.caisson.overlay.mount.OverlayMounter.Mounted;
import dev.caisson.overlay.mount.OverlayMounter.UpperPaths;
import dev.caisson.overlay.mount.TopDirectory;
import dev.caisson.overlay.mount.UpperDirectory;
import dev.caisson.overlay.store.Layer;
import dev.caisson.overlay.store.LayerStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongUnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A mounted overlay that only this process sees: a tree without a place, which no mount table lists. It is gone when it is
 * closed, or with the JVM. Takes root (CAP_SYS_ADMIN) and Linux 5.12; containers of ordinary users mount theirs themselves.
 * Thread-safe.
 */
public final class OverlayMount implements AutoCloseable {
    private final Overlay overlay;
    private final Fd root;
    private final @Nullable Fd memory;
    private final @Nullable Substitute substitute;
    private final LayerWatch watch;

    private OverlayMount(Overlay overlay, Mounted mounted, LayerWatch watch) {
        this.overlay = overlay;
        this.root = mounted.root();
        this.memory = mounted.memory();
        this.substitute = null;
        this.watch = watch;
    }

    private OverlayMount(Overlay overlay, Substitute substitute, LayerWatch watch) {
        this.overlay = overlay;
        this.root = substitute.root();
        this.memory = substitute.memory();
        this.substitute = substitute;
        this.watch = watch;
    }

    static OverlayMount writable(Overlay overlay, Kernel kernel) throws IOException {
        var options = overlay.options().mountOptions();
        if (overlay.upper().isEmpty()) {
            return mount(
                    overlay,
                    kernel,
                    Optional.empty(),
                    false,
                    mounter -> mounter.inMemory(overlay.lower(), overlay.size(), options));
        }
        var upper = overlay.upper().get();
        var paths = new UpperPaths(HostPath.of(upper.directory()), HostPath.of(upper.work()));
        var prepared = UpperDirectory.prepare(
                upper.directory(),
                upper.work(),
                OptionalLong.empty(),
                () -> TopDirectory.of(overlay.lower().getFirst()));
        try {
            return mount(
                    overlay,
                    kernel,
                    Optional.of(paths),
                    false,
                    mounter -> mounter.onDisk(overlay.lower(), paths, options));
        } catch (IOException | RuntimeException failed) {
            prepared.close();
            throw failed;
        }
    }

    static OverlayMount readOnly(Overlay overlay, Kernel kernel) throws IOException {
        List<Path> layers = overlay.readOnlyLayers();
        return mount(
                overlay,
                kernel,
                Optional.empty(),
                true,
                mounter -> mounter.readOnly(layers, overlay.options().mountOptions()));
    }

    private interface Mounting {
        Mounted by(OverlayMounter mounter) throws IOException;
    }

    /** Begins to watch the lower layers when they are opened. */
    private static final class Watching implements OverlayMounter.Witness {
        private final List<Path> lower;
        private @Nullable LayerWatch watch;

        Watching(List<Path> lower) {
            this.lower = lower;
        }

        @Override
        public void look(HereRunner here, List<Fd> layers) throws LinuxException {
            if (watch != null) {
                return;
            }
            var roots = new ArrayList<LayerWatch.Root>(lower.size());
            // Above them may be an upper that is only looked at.
            int first = layers.size() - lower.size();
            for (int i = 0; i < lower.size(); i++) {
                var status = here.status(layers.get(first + i));
                roots.add(new LayerWatch.Root(lower.get(i), status.device(), status.inode()));
            }
            watch = LayerWatch.of(roots);
        }

        LayerWatch watch() {
            // What is shown by a bind mount was not opened here.
            return watch == null ? LayerWatch.begin(lower) : watch;
        }
    }

    private static OverlayMount mount(
            Overlay overlay, Kernel kernel, Optional<UpperPaths> upper, boolean readOnly, Mounting mounting)
            throws IOException {
        var watching = new Watching(overlay.lower());
        try {
            var mounted = mounting.by(new OverlayMounter(kernel, watching));
            return new OverlayMount(overlay, mounted, watching.watch());
        } catch (LinuxException refused) {
            var cause = Diagnosis.of(overlay.lower(), upper, refused.errno(), false);
            int layers = overlay.lower().size();
            var refusal = new OverlayException(
                    "merge " + layers + (layers == 1 ? " layer: " : " layers: ") + refused.getMessage()
                            + cause.map(c -> "; " + c).orElse(""),
                    refused);
            if (overlay.fallbacks().isEmpty()) {
                throw refusal;
            }
            var watch = watching.watch();
            var purpose = new Substitute.Purpose(readOnly, OptionalLong.empty(), OverlayMounter.MOUNTED);
            return new OverlayMount(overlay, Substitute.take(overlay, purpose, refusal), watch);
        }
    }

    /** As {@link Overlay#rootByFallback}. */
    static OverlayMount byFallback(Overlay overlay, IOException refusal, OptionalLong owner) throws IOException {
        var watch = LayerWatch.begin(overlay.lower());
        return new OverlayMount(
                overlay,
                Substitute.take(overlay, new Substitute.Purpose(false, owner, OverlayMounter.ROOT), refusal),
                watch);
    }

    /** {@return the merged tree, as a path that works in this process until this object is closed} */
    public Path path() {
        return inThisProcess(root);
    }

    /** {@return the number of this process's descriptor of the merged tree} It is this object's to close. */
    public int descriptor() {
        return root.number();
    }

    /** {@return what tells which layers were changed since they were mounted} */
    public LayerWatch watch() {
        return watch;
    }

    /** {@return what was mounted, its upper as a path that works until this object is closed} */
    public Overlay overlay() {
        return memory == null
                ? overlay
                : overlay.withUpper(new Overlay.Upper(
                        inThisProcess(memory).resolve("upper"),
                        inThisProcess(memory).resolve("work")));
    }

    /** {@return the directory that is a copy of the layers; empty unless that was the fallback} */
    public Optional<Path> copy() {
        return Optional.ofNullable(substitute).map(Substitute::directory);
    }

    /** {@return the fallback that was taken instead of an overlay of the kernel's, and why; empty if none was} */
    public Optional<OverlayFallback.Taken> fallback() {
        return Optional.ofNullable(substitute).map(Substitute::taken);
    }

    /**
     * {@return what was changed in the merged tree} As {@link Overlay#changes}, whatever the upper, and exact with a fallback too,
     * where all of the merged tree is walked.
     */
    public Stream<Change> changes() throws IOException {
        return changes(LongUnaryOperator.identity(), LongUnaryOperator.identity());
    }

    /** {@return the same for layers seen with other ids, as in {@link Overlay#changes(LongUnaryOperator, LongUnaryOperator)}} */
    public Stream<Change> changes(LongUnaryOperator uids, LongUnaryOperator gids) throws IOException {
        return substitute == null
                ? overlay().changes(uids, gids, watch)
                : changes(substitute, new Comparison.SeenIds(uids, gids), false);
    }

    private Stream<Change> changes(Substitute substitute, Comparison.SeenIds ids, boolean linksToo) throws IOException {
        var upper = overlay().upper();
        var fd = upper.isPresent() ? Files.open(HostPath.of(upper.get().directory()), OpenFlags.O_PATH, 0) : null;
        try {
            var changes = Changes.of(
                    new Changes.Source.Whole(path(), substitute.settled(), fd, linksToo),
                    overlay.lower(),
                    overlay.reader(),
                    ids,
                    watch);
            return fd == null ? changes : changes.onClose(fd::close);
        } catch (LinuxException | RuntimeException failed) {
            if (fd != null) {
                fd.close();
            }
            throw failed;
        }
    }

    /**
     * Keeps what was changed as a layer, under a name. It is copied, from memory, from the upper's directory, or from the
     * merged tree of a fallback.
     *
     * @throws IOException if a layer below was changed meanwhile: in its own directory, or, with a fallback, in a place where
     *     something was changed here too
     */
    public Layer commit(LayerStore store, String name) throws IOException {
        refuseIfChanged(watch);
        if (substitute == null) {
            return overlay().commit(store, name);
        }
        try (var branch = store.branch(overlay.lower().toArray(Path[]::new));
                var changes = changes(
                        substitute,
                        new Comparison.SeenIds(LongUnaryOperator.identity(), LongUnaryOperator.identity()),
                        true);
                var to = Files.open(HostPath.of(branch.upper()), OpenFlags.O_DIRECTORY, 0)) {
            LayerWriter.write(changes, root, to, overlay.reader().names());
            return branch.commit(name);
        } catch (LinuxException refused) {
            throw new IOException("commit: " + refused.getMessage(), refused);
        } catch (UncheckedIOException refused) {
            throw refused.getCause();
        }
    }

    /** Changes to layers that are not what they were are changes to nothing. */
    static void refuseIfChanged(LayerWatch watch) throws IOException {
        var changed = watch.changedAtTheTop();
        if (changed.isPresent()) {
            throw new IOException("commit: the layer " + HostPath.shown(changed.get())
                    + " was changed or replaced while it was in use, so that the changes are not to what it is now; run"
                    + " again on the layers as they are, and leave them alone meanwhile");
        }
    }

    private static Path inThisProcess(Fd fd) {
        // The dot: without it the path is a symbolic link, which Files.walk and its like do not enter.
        return Path.of("/proc/self/fd/" + fd.number() + "/.");
    }

    /**
     * Lets go of it; what it kept in memory, or in a copy, is gone. Idempotent.
     *
     * @throws IOException if a copy could not be removed, or an upper of fuse-overlayfs not be made one of the kernel's
     */
    @Override
    public void close() throws IOException {
        root.close();
        if (substitute != null) {
            substitute.close();
        }
        if (memory != null) {
            memory.close();
        }
    }
}
