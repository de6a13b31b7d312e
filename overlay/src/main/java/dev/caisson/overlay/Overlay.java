// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Kernel;
import dev.caisson.overlay.changes.Change;
import dev.caisson.overlay.changes.LayerWatch;
import dev.caisson.overlay.changes.PathOrigin;
import dev.caisson.overlay.changes.TreeSize;
import dev.caisson.overlay.mark.MarkReader;
import dev.caisson.overlay.mark.XattrNamespace;
import dev.caisson.overlay.merged.Changes;
import dev.caisson.overlay.merged.Comparison;
import dev.caisson.overlay.merged.Explorer;
import dev.caisson.overlay.store.Layer;
import dev.caisson.overlay.store.LayerStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongUnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Read-only layers merged under a writable one (Documentation/filesystems/overlayfs.rst). Immutable.
 *
 * @param lower the topmost layer first, 1 to 500; one may lie inside another, as all do inside {@code /}, but no third inside both
 * @param upper where changes stay; empty: in memory, and gone with the mount
 * @param size the most bytes an upper in memory takes; empty: half of the host's memory
 * @param options how it behaves
 * @param fallbacks what may be done where the kernel refuses, in this order; empty: its refusal is an exception
 */
public record Overlay(
        List<Path> lower,
        Optional<Upper> upper,
        OptionalLong size,
        OverlayOptions options,
        List<OverlayFallback> fallbacks) {
    private static final int MOST_LAYERS = 500;

    /**
     * A writable layer on disk.
     *
     * @param directory holds the changes
     * @param work an empty directory on the same file system, for the kernel's own use
     */
    public record Upper(Path directory, Path work) {
        public Upper {
            directory = absolute(directory);
            work = absolute(work);
            if (directory.startsWith(work) || work.startsWith(directory)) {
                throw new IllegalArgumentException("upper: " + HostPath.shown(directory) + " and its work directory "
                        + HostPath.shown(work) + " must not lie in one another");
            }
        }
    }

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if there are too few or too many layers, or directories overlap
     */
    public Overlay {
        fallbacks = List.copyOf(fallbacks);
        lower = lower.stream().map(Overlay::absolute).toList();
        if (lower.isEmpty() || lower.size() > MOST_LAYERS) {
            throw new IllegalArgumentException(
                    "lower: " + lower.size() + " layers; overlayfs takes 1 to " + MOST_LAYERS);
        }
        if (new HashSet<>(lower).size() < lower.size()) {
            throw new IllegalArgumentException("lower: a layer appears twice in " + HostPath.shown(lower));
        }
        for (Path layer : lower) {
            if (upper.isPresent() && layer.startsWith(upper.get().directory())) {
                throw new IllegalArgumentException(
                        "upper: " + HostPath.shown(upper.get().directory()) + " holds the layer "
                                + HostPath.shown(layer) + ", whose files it would change");
            }
        }
        if (size.isPresent() && (size.getAsLong() <= 0 || upper.isPresent())) {
            throw new IllegalArgumentException("upper: a size of " + size.getAsLong()
                    + " bytes must be positive and is for an upper in memory only");
        }
    }

    /** Paths of other file systems, such as a container's fs(), are refused: the kernel would look for them on the host. */
    private static Path absolute(Path path) {
        var _ = HostPath.of(path);
        return path.toAbsolutePath().normalize();
    }

    /** An overlay that behaves as the kernel has it by default. */
    public Overlay(List<Path> lower, Optional<Upper> upper, OptionalLong size) {
        this(lower, upper, size, OverlayOptions.defaults(), List.of());
    }

    /** {@return these layers under a writable one in memory} */
    public static Overlay of(Path... lower) {
        return new Overlay(List.of(lower), Optional.empty(), OptionalLong.empty());
    }

    /** {@return this with another writable layer} */
    public Overlay withUpper(Upper upper) {
        return new Overlay(lower, Optional.of(upper), OptionalLong.empty(), options, fallbacks);
    }

    /** {@return this with a writable layer in a directory, next to which a work directory is made for the kernel} */
    public Overlay withUpper(Path directory) {
        Path absolute = absolute(directory);
        return withUpper(new Upper(absolute, HostPath.path(HostPath.of(absolute) + ".work")));
    }

    /** {@return this with a writable layer in memory, of at most this many bytes} */
    public Overlay withSize(long size) {
        return new Overlay(lower, Optional.empty(), OptionalLong.of(size), options, fallbacks);
    }

    /** {@return this with other options} */
    public Overlay withOptions(OverlayOptions options) {
        return new Overlay(lower, upper, size, options, fallbacks);
    }

    /** {@return this with other ways to merge, tried in this order where the kernel refuses} */
    public Overlay withFallbacks(OverlayFallback... inThisOrder) {
        return withFallbacks(List.of(inThisOrder));
    }

    /** {@return this with other ways to merge, tried in this order where the kernel refuses} */
    public Overlay withFallbacks(List<OverlayFallback> inThisOrder) {
        return new Overlay(lower, upper, size, options, inThisOrder);
    }

    /**
     * Mounts it for this process, without a place in any mount table. Directories of the upper that are missing are made.
     *
     * @throws OverlayException if the kernel refuses, and no fallback was named or can be had
     */
    public OverlayMount mount() throws IOException {
        return mount(Kernel.ofThisMachine());
    }

    OverlayMount mount(Kernel kernel) throws IOException {
        return OverlayMount.writable(this, kernel);
    }

    /**
     * Mounts it for looking only: nothing can be written, and an upper, if there is one, is the topmost layer.
     *
     * @throws OverlayException if the kernel refuses, and no fallback was named or can be had
     */
    public OverlayMount mountReadOnly() throws IOException {
        return mountReadOnly(Kernel.ofThisMachine());
    }

    OverlayMount mountReadOnly(Kernel kernel) throws IOException {
        return OverlayMount.readOnly(this, kernel);
    }

    /**
     * Takes the first of the fallbacks that can be had, as the root of a container whose own mount was refused.
     *
     * @param refusal why it was
     * @param owner user and group of the root of a copy, if it is not to be that of the layers
     * @throws OverlayException if none can be had; it says why for each
     */
    public OverlayMount rootByFallback(IOException refusal, OptionalLong owner) throws IOException {
        return OverlayMount.byFallback(this, refusal, owner);
    }

    /**
     * {@return what differs between the layers below and what shows with the upper over them} Exact, and read from the upper
     * alone: the cost is that of listing the upper. Directories come before what is in them, names in the order of their
     * bytes. To be closed, as {@link java.nio.file.Files#walk}; throws {@link java.io.UncheckedIOException} on the way.
     *
     * <p>With {@link OverlayOptions.Index#ON}, other names of a lower file with several hard links are not listed.
     *
     * @throws IllegalStateException if there is no upper on disk; that of a mount in memory is asked for by {@link
     *     OverlayMount#changes}
     */
    public Stream<Change> changes() throws IOException {
        return changes(LongUnaryOperator.identity(), LongUnaryOperator.identity());
    }

    /**
     * {@return the same for layers that were mounted with other ids (mount_setattr(2), MOUNT_ATTR_IDMAP)} A file that was
     * copied up has the id it was seen with; that alone is not a change.
     *
     * @param uids what a user's id in a lower layer was seen as
     * @param gids what a group's id in a lower layer was seen as
     */
    public Stream<Change> changes(LongUnaryOperator uids, LongUnaryOperator gids) throws IOException {
        return changes(new Comparison.SeenIds(uids, gids), null);
    }

    /**
     * {@return the same, with a {@link Change.LayerChanged} for what was changed in the layers since a watch on them began} Only
     * where the upper has something: nothing else could make the other changes wrong.
     */
    public Stream<Change> changes(LongUnaryOperator uids, LongUnaryOperator gids, LayerWatch watch) throws IOException {
        return changes(new Comparison.SeenIds(uids, gids), watch);
    }

    private Stream<Change> changes(Comparison.SeenIds ids, @Nullable LayerWatch watch) throws IOException {
        return Changes.of(new Changes.Source.Upper(requiredUpper().directory()), lower, reader(), ids, watch);
    }

    /**
     * {@return the upper as a layer, kept under a name; it is copied} Nobody may change it meanwhile. A {@link
     * dev.caisson.overlay.store.Branch} is committed without a copy.
     */
    public Layer commit(LayerStore store, String name) throws IOException {
        try (var directory = Files.open(HostPath.of(requiredUpper().directory()), OpenFlags.O_DIRECTORY, 0)) {
            return LayerCopy.of(directory, lower, store, name);
        } catch (LinuxException refused) {
            throw new IOException("commit: " + refused.getMessage(), refused);
        }
    }

    /** {@return what the upper takes up} */
    public TreeSize upperSize() throws IOException {
        return TreeSize.of(requiredUpper().directory());
    }

    /**
     * {@return which layer a path of the merged tree comes from, and what hides what} Nothing needs to be mounted.
     *
     * @param path absolute within the merged tree; a symbolic link is not followed
     */
    public PathOrigin explain(String path) throws IOException {
        return new Explorer(readOnlyLayers(), reader()).explain(path);
    }

    /** {@return the same for each entry of a directory of the merged tree, hidden ones included, in order of names} */
    public List<PathOrigin> list(String path) throws IOException {
        return new Explorer(readOnlyLayers(), reader()).list(path);
    }

    private Upper requiredUpper() {
        return upper.orElseThrow(() -> new IllegalStateException(
                "this overlay's upper is in memory: ask the changes() or the overlay() of its mount instead"));
    }

    MarkReader reader() {
        return new MarkReader(
                options.attributes() == OverlayOptions.Attributes.USER ? XattrNamespace.USER : XattrNamespace.TRUSTED);
    }

    /** {@return all layers, the upper first if there is one on disk} */
    List<Path> readOnlyLayers() {
        var layers = new ArrayList<Path>();
        upper.ifPresent(u -> layers.add(u.directory()));
        layers.addAll(lower);
        return layers;
    }

    /** {@return a path as the string form of overlayfs options wants it: separators escaped} */
    public static String escape(Path path) {
        return HostPath.of(path).replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,");
    }
}
