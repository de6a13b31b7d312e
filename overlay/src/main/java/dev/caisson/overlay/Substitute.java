// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Identity;
import dev.caisson.overlay.fallback.CopiedTree;
import dev.caisson.overlay.fallback.FuseLimits;
import dev.caisson.overlay.fallback.FuseMount;
import dev.caisson.overlay.fallback.MergedCopy;
import dev.caisson.overlay.mount.OverlayMounter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A merged tree that is not an overlay of the kernel's.
 *
 * @param root of the tree: a mount without a place, or the directory
 * @param memory holds {@code upper} and {@code work}, if the upper is in memory
 * @param directory of the tree, if it is a copy
 * @param settled before it nothing was changed; null if there is no such moment
 */
record Substitute(
        OverlayFallback.Taken taken,
        Fd root,
        @Nullable Fd memory,
        @Nullable Path directory,
        FileStatus.@Nullable Time settled,
        AutoCloseable behind) {

    private static final long READ_ONLY = 1;

    /**
     * What a merged tree is for.
     *
     * @param owner user and group of the root of a copy, if it is not to be that of the layers
     * @param attributes of its mount, MOUNT_ATTR_*
     */
    record Purpose(boolean readOnly, OptionalLong owner, long attributes) {}

    /** Why a way is passed over. */
    private static final class PassedOver extends Exception {
        private static final long serialVersionUID = 1L;

        PassedOver(String why) {
            super(why);
        }
    }

    /**
     * Takes the first of an overlay's fallbacks that can be had.
     *
     * @param refusal why the kernel's overlay could not be
     * @param purpose what the tree is for
     * @throws OverlayException if none can be had; it says why for each
     */
    static Substitute take(Overlay overlay, Purpose purpose, IOException refusal) throws IOException {
        var because = new StringBuilder(String.valueOf(refusal.getMessage()));
        for (var way : overlay.fallbacks()) {
            try {
                return switch (way) {
                    case OverlayFallback.FuseOverlayfs _ -> fuse(overlay, purpose, way, because.toString());
                    case OverlayFallback.Reflink r -> copy(overlay, purpose, r, r.directory(), because);
                    case OverlayFallback.Copy c -> copy(overlay, purpose, c, c.directory(), because);
                };
            } catch (PassedOver | IOException failed) {
                because.append("; fallback ").append(way).append(": ").append(failed.getMessage());
                refusal.addSuppressed(failed);
            }
        }
        throw new OverlayException(because.toString(), refusal);
    }

    private static Substitute fuse(Overlay overlay, Purpose purpose, OverlayFallback way, String because)
            throws IOException, PassedOver {
        boolean readOnly = purpose.readOnly();
        var program = FuseMount.program();
        passOver(program.isEmpty(), "fuse-overlayfs is not installed (Debian package fuse-overlayfs)");
        passOver(!Identity.isRoot(), "it requires root here");
        var options = overlay.options();
        passOver(
                options.redirectDir().equals(Optional.of(OverlayOptions.RedirectDir.ON))
                        || options.metacopy().equals(Optional.of(OverlayOptions.Metacopy.ON))
                        || options.index().equals(Optional.of(OverlayOptions.Index.ON)),
                "it knows no redirectDir, metacopy or index");
        passOverVerity(overlay);
        var layers = new ArrayList<Path>(readOnly ? overlay.readOnlyLayers() : overlay.lower());
        passOver(
                options.attributes() == OverlayOptions.Attributes.USER && layers.size() > 1,
                "it does not read marks in user.overlay attributes");
        var all = new ArrayList<Path>(layers);
        if (!readOnly) {
            overlay.upper().ifPresent(u -> all.addFirst(u.directory()));
        }
        var foreign = FuseLimits.of(all);
        passOver(foreign.isPresent(), foreign.orElse(""));
        var upper = readOnly
                ? Optional.<OverlayMounter.UpperPaths>empty()
                : overlay.upper()
                        .map(u -> new OverlayMounter.UpperPaths(HostPath.of(u.directory()), HostPath.of(u.work())));
        var mount = FuseMount.mount(
                program.orElseThrow(),
                new FuseMount.Layers(layers, upper, overlay.size(), readOnly, purpose.attributes()));
        boolean inMemory = upper.isEmpty() && !readOnly;
        try {
            return new Substitute(
                    new OverlayFallback.Taken(way, because),
                    mount.root(),
                    inMemory ? mount.memory() : null,
                    null,
                    inMemory ? mount.settled() : null,
                    mount);
        } catch (IOException failed) {
            mount.close();
            throw failed;
        }
    }

    private static Substitute copy(
            Overlay overlay, Purpose purpose, OverlayFallback way, Path directory, StringBuilder because)
            throws IOException, PassedOver {
        boolean readOnly = purpose.readOnly();
        passOver(
                overlay.upper().isPresent() && !readOnly,
                "a copy keeps no changes in an upper; leave the upper out, and commit the container's changes");
        passOver(overlay.size().isPresent(), "a copy cannot be limited to a size");
        passOverVerity(overlay);
        List<Path> layers = readOnly ? overlay.readOnlyLayers() : overlay.lower();
        for (Path layer : layers) {
            passOver(
                    directory.startsWith(layer),
                    HostPath.shown(directory) + " lies inside the layer " + HostPath.shown(layer));
        }
        passOver(!java.nio.file.Files.isDirectory(directory), HostPath.shown(directory) + " is not a directory");
        CopiedTree copy;
        try {
            copy = CopiedTree.make(
                    directory, layers, overlay.reader(), purpose.owner(), way instanceof OverlayFallback.Reflink);
        } catch (MergedCopy.NotShared cannot) {
            throw new PassedOver(
                    "the file system of " + HostPath.shown(directory) + " cannot share blocks with all layers");
        }
        try {
            // Who may not mount gets the directory itself.
            Fd root = Identity.isRoot()
                    ? OverlayMounter.bind(copy.tree(), purpose.attributes() | (readOnly ? READ_ONLY : 0))
                    : Files.open(HostPath.of(copy.tree()), OpenFlags.O_PATH, 0);
            return new Substitute(
                    new OverlayFallback.Taken(way, because.toString()), root, null, copy.tree(), copy.settled(), () -> {
                        root.close();
                        copy.close();
                    });
        } catch (IOException failed) {
            copy.close();
            throw failed;
        }
    }

    private static void passOverVerity(Overlay overlay) throws PassedOver {
        passOver(
                overlay.options()
                        .verity()
                        .filter(v -> v != OverlayOptions.Verity.OFF)
                        .isPresent(),
                "it verifies nothing (verity)");
    }

    private static void passOver(boolean condition, String why) throws PassedOver {
        if (condition) {
            throw new PassedOver(why);
        }
    }

    void close() throws IOException {
        try {
            behind.close();
        } catch (IOException | RuntimeException failed) {
            throw failed;
        } catch (Exception impossible) {
            throw new AssertionError(impossible);
        }
    }
}
