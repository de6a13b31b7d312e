// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.launch.ContainerSpec.Root;
import dev.caisson.launch.ImmutableContainerSpec;
import dev.caisson.linux.ByteUnit;
import dev.caisson.overlay.Branch;
import dev.caisson.overlay.Overlay;
import dev.caisson.overlay.OverlayFallback;
import dev.caisson.overlay.OverlayOptions;
import dev.caisson.spec.Mount;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** The root file system of a container, and what is mounted in it. */
@CheckReturnValue
abstract class RootSettings extends NamespaceSettings {

    RootSettings(ImmutableContainerSpec spec) {
        super(spec);
    }

    /**
     * Read-only layers as the root, the topmost first, under a writable one in memory that is gone with the container. {@code
     * lower(Path.of("/"))} is the host's own root file system.
     */
    public ContainerBuilder lower(Path... layers) {
        return lower(List.of(layers));
    }

    public ContainerBuilder lower(List<Path> layers) {
        return with(s -> s.withRoot(new Root.Layers(new Overlay(layers, Optional.empty(), OptionalLong.empty()))));
    }

    /**
     * Makes writes persistent: they go to a directory, next to which a work directory is made for the kernel. Both are made
     * if they are missing, and belong to the container's root.
     *
     * @throws IllegalStateException if there are no layers yet
     */
    public ContainerBuilder upper(Path directory) {
        Path absolute = directory.toAbsolutePath();
        return upper(directory, absolute.resolveSibling(absolute.getFileName() + ".work"));
    }

    /** As {@link #upper(Path)} with a work directory of one's own, on the same file system. */
    public ContainerBuilder upper(Path directory, Path work) {
        var overlay = layers("upper");
        return with(s -> s.withRoot(new Root.Layers(overlay.withUpper(new Overlay.Upper(directory, work)))));
    }

    /**
     * The layers below a branch of a layer store, with the branch as the writable layer. One container at a time may be on a
     * branch, from its start until it is closed.
     */
    public ContainerBuilder on(Branch branch) {
        return lower(branch.lower()).upper(branch.upper(), branch.work()).with(s -> s.withBranch(branch));
    }

    private Overlay layers(String option) {
        if (!(spec.root() instanceof Root.Layers(var overlay))) {
            throw new IllegalStateException(option + " contradicts a root without layers: call lower(...) first");
        }
        return overlay;
    }

    /**
     * Limits the writable layer in memory, together with injected files; beyond it writes fail with ENOSPC.
     *
     * @throws IllegalStateException if there are no layers yet
     */
    public ContainerBuilder upperSize(long size, ByteUnit unit) {
        var overlay = layers("upperSize");
        return with(s -> s.withRoot(new Root.Layers(overlay.withSize(unit.toBytes(size)))));
    }

    /**
     * Sets how the layers are merged, such as whether directories of theirs can be renamed.
     *
     * @throws IllegalStateException if there are no layers yet
     */
    public ContainerBuilder overlayOptions(OverlayOptions options) {
        var overlay = layers("overlayOptions");
        return with(s -> s.withRoot(new Root.Layers(overlay.withOptions(options))));
    }

    /**
     * Names other ways to merge the layers, tried in this order where the kernel refuses (strict without: its refusal is an
     * exception). {@link Container#overlayFallback} tells which one was taken, and why; {@code OverlayFallback.any(directory)}
     * is all of them.
     *
     * @throws IllegalStateException if there are no layers yet
     */
    public ContainerBuilder overlayFallback(OverlayFallback... inThisOrder) {
        return overlayFallback(List.of(inThisOrder));
    }

    public ContainerBuilder overlayFallback(List<OverlayFallback> inThisOrder) {
        var overlay = layers("overlayFallback");
        return with(s -> s.withRoot(new Root.Layers(overlay.withFallbacks(inThisOrder))));
    }

    /**
     * Shows layers with the ids of the container's user namespace: what belongs to root on disk belongs to root inside, so
     * that one layer serves containers under different maps without chown. Takes root on the host, Linux 5.19, and layers on
     * ext4, xfs, btrfs or tmpfs; a launch that cannot have it fails.
     */
    public ContainerBuilder idmappedLayers() {
        return with(s -> s.withIdmappedLayers(true));
    }

    /** A directory as the root, used as it is: writes stay in it. */
    public ContainerBuilder rootfs(Path directory) {
        return with(s -> s.withRoot(new Root.Directory(directory.toAbsolutePath())));
    }

    /** Makes the root read-only; mounts on it are what they are. */
    public ContainerBuilder readOnly() {
        return with(s -> s.withReadOnlyRoot(true));
    }

    public ContainerBuilder mount(Mount mount) {
        return with(s -> s.withMounts(plus(s.mounts(), mount)));
    }

    /** Shows a file, a directory or a device node of the host inside; device nodes in a directory cannot be opened. */
    public ContainerBuilder bind(Path source, String target, Mount.Option... options) {
        return mount(Mount.bind(source, target, options));
    }

    /**
     * A directory of the host for data that is written much, such as a database's: it bypasses the layers, in which the first
     * write to a file copies all of it ({@link Container#copyUpCost}), and it outlives the container. It is made on start if
     * it is missing, and then belongs to the container's root.
     */
    public ContainerBuilder volume(Path directory, String target) {
        return bind(directory, target, Mount.Option.MAKE_SOURCE, Mount.Option.NO_SUID);
    }

    /** An empty file system in memory. */
    public ContainerBuilder tmpfs(String target, long size, ByteUnit unit) {
        return mount(new Mount.Tmpfs(target, OptionalLong.of(unit.toBytes(size)), 01777, Set.of(Mount.Option.NO_SUID)));
    }

    /** A read-only file with this content, such as /etc/resolv.conf. */
    public ContainerBuilder file(String target, String content) {
        return mount(new Mount.Content(target, content.getBytes(StandardCharsets.UTF_8), 0644));
    }

    /** Covers a path inside, so that nothing of it is seen; no error if it is not there. */
    public ContainerBuilder mask(String path) {
        return with(s -> s.withMaskedPaths(plus(s.maskedPaths(), inside("mask", path))));
    }

    /** Makes a path inside read-only; no error if it is not there. */
    public ContainerBuilder readOnlyPath(String path) {
        return with(s -> s.withReadOnlyPaths(plus(s.readOnlyPaths(), inside("readOnlyPath", path))));
    }
}
