// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.Files;
import dev.caisson.overlay.mark.XattrNamespace;
import dev.caisson.overlay.mount.FuseMarks;
import dev.caisson.overlay.mount.FuseMount;
import dev.caisson.overlay.mount.OverlayMounter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A merged tree that is no overlay of the kernel's.
 *
 * @param root of the tree: a mount without a place, or the directory
 * @param memory holds {@code upper} and {@code work}, if the upper is in memory
 * @param settled before it nothing was changed; null if there is no such moment
 */
record Substitute(
        OverlayFallback.Taken taken,
        Fd root,
        @Nullable Fd memory,
        FileStatus.@Nullable Time settled,
        AutoCloseable behind) {

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
     * @param owner of the root of a copy, if it is not to be that of the layers
     * @throws OverlayException if none can be had; it says why for each
     */
    static Substitute take(Overlay overlay, boolean readOnly, IOException refusal, OptionalLong owner)
            throws IOException {
        var because = new StringBuilder(String.valueOf(refusal.getMessage()));
        for (var way : overlay.fallbacks()) {
            try {
                return switch (way) {
                    case OverlayFallback.FuseOverlayfs _ -> fuse(overlay, readOnly, way, because.toString());
                    case OverlayFallback.Reflink r -> copy(overlay, readOnly, r, r.directory(), owner, because);
                    case OverlayFallback.Copy c -> copy(overlay, readOnly, c, c.directory(), owner, because);
                };
            } catch (PassedOver | IOException failed) {
                because.append("; fallback ").append(way).append(": ").append(failed.getMessage());
                refusal.addSuppressed(failed);
            }
        }
        throw new OverlayException(because.toString(), refusal);
    }

    private static Substitute fuse(Overlay overlay, boolean readOnly, OverlayFallback way, String because)
            throws IOException, PassedOver {
        var program = FuseMount.program();
        passOver(program.isEmpty(), "fuse-overlayfs is not installed (Debian package fuse-overlayfs)");
        passOver(!"root".equals(System.getProperty("user.name")), "it takes root here");
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
        var marked = new ArrayList<Path>(layers.subList(0, layers.size() - 1));
        if (!readOnly) {
            overlay.upper().ifPresent(u -> marked.add(u.directory()));
        }
        for (Path layer : marked) {
            var foreign = FuseMarks.foreign(layer, XattrNamespace.TRUSTED);
            passOver(foreign.isPresent(), foreign.orElse(""));
        }
        var upper = readOnly
                ? Optional.<OverlayMounter.UpperPaths>empty()
                : overlay.upper()
                        .map(u -> new OverlayMounter.UpperPaths(
                                u.directory().toString(), u.work().toString()));
        var mount =
                FuseMount.mount(program.orElseThrow(), new FuseMount.Layers(layers, upper, overlay.size(), readOnly));
        boolean inMemory = upper.isEmpty() && !readOnly;
        try {
            return new Substitute(
                    new OverlayFallback.Taken(way, because),
                    mount.root(),
                    inMemory ? mount.memory() : null,
                    inMemory ? mount.settled() : null,
                    mount);
        } catch (IOException failed) {
            mount.close();
            throw failed;
        }
    }

    private static Substitute copy(
            Overlay overlay,
            boolean readOnly,
            OverlayFallback way,
            Path directory,
            OptionalLong owner,
            StringBuilder because)
            throws IOException, PassedOver {
        passOver(
                overlay.upper().isPresent() && !readOnly,
                "a copy keeps no changes in an upper; leave the upper out, and commit the container's changes");
        passOver(overlay.size().isPresent(), "a copy cannot be limited to a size");
        passOverVerity(overlay);
        List<Path> layers = readOnly ? overlay.readOnlyLayers() : overlay.lower();
        for (Path layer : layers) {
            passOver(directory.startsWith(layer), directory + " lies inside the layer " + layer);
        }
        passOver(!java.nio.file.Files.isDirectory(directory), directory + " is no directory");
        CopiedTree copy;
        try {
            copy = CopiedTree.make(directory, layers, overlay.reader(), owner, way instanceof OverlayFallback.Reflink);
        } catch (MergedCopy.NotShared cannot) {
            throw new PassedOver("the file system of " + directory + " cannot share blocks with all layers");
        }
        try {
            Fd root = readOnly
                    ? OverlayMounter.bind(copy.tree())
                    : Files.open(copy.tree().toString(), Files.O_PATH, 0);
            return new Substitute(
                    new OverlayFallback.Taken(way, because.toString()), root, null, copy.settled(), () -> {
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
