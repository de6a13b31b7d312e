// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Kernel;
import dev.caisson.overlay.mount.Diagnosis;
import dev.caisson.overlay.mount.OverlayMounter;
import dev.caisson.overlay.mount.OverlayMounter.Mounted;
import dev.caisson.overlay.mount.OverlayMounter.UpperPaths;
import dev.caisson.overlay.mount.UpperDirectory;
import java.io.IOException;
import java.nio.file.Path;
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

    private OverlayMount(Overlay overlay, Mounted mounted) {
        this.overlay = overlay;
        this.root = mounted.root();
        this.memory = mounted.memory();
        this.substitute = null;
    }

    private OverlayMount(Overlay overlay, Substitute substitute) {
        this.overlay = overlay;
        this.root = substitute.root();
        this.memory = substitute.memory();
        this.substitute = substitute;
    }

    static OverlayMount writable(Overlay overlay, Kernel kernel) throws IOException {
        var mounter = new OverlayMounter(kernel);
        var options = overlay.options().parameters();
        if (overlay.upper().isEmpty()) {
            return mount(
                    overlay, Optional.empty(), false, () -> mounter.inMemory(overlay.lower(), overlay.size(), options));
        }
        var upper = overlay.upper().get();
        var paths = new UpperPaths(upper.directory().toString(), upper.work().toString());
        var prepared = UpperDirectory.prepare(upper.directory(), upper.work(), OptionalLong.empty());
        try {
            return mount(overlay, Optional.of(paths), false, () -> mounter.onDisk(overlay.lower(), paths, options));
        } catch (IOException | RuntimeException failed) {
            prepared.close();
            throw failed;
        }
    }

    static OverlayMount readOnly(Overlay overlay, Kernel kernel) throws IOException {
        List<Path> layers = overlay.readOnlyLayers();
        return mount(
                overlay,
                Optional.empty(),
                true,
                () -> new OverlayMounter(kernel)
                        .readOnly(
                                layers,
                                overlay.options()
                                        .durability(OverlayOptions.Durability.SYNC)
                                        .parameters()));
    }

    private interface Mounting {
        Mounted run() throws IOException;
    }

    private static OverlayMount mount(Overlay overlay, Optional<UpperPaths> upper, boolean readOnly, Mounting mounting)
            throws IOException {
        try {
            return new OverlayMount(overlay, mounting.run());
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
            return new OverlayMount(overlay, Substitute.take(overlay, readOnly, refusal, OptionalLong.empty()));
        }
    }

    /**
     * Takes the first of an overlay's fallbacks that can be had, for a container whose own mount was refused.
     *
     * @param refusal why
     * @param owner user and group of the root of a copy, if it is not to be that of the layers
     */
    static OverlayMount byFallback(Overlay overlay, IOException refusal, OptionalLong owner) throws IOException {
        return new OverlayMount(overlay, Substitute.take(overlay, false, refusal, owner));
    }

    /** {@return the merged tree, as a path that works in this process until this object is closed} */
    public Path path() {
        return inThisProcess(root);
    }

    /** {@return the merged tree} */
    @SuppressWarnings("exports") // For core, which sees that package.
    public Fd root() {
        return root;
    }

    /** {@return what was mounted, its upper as a path that works until this object is closed} */
    public Overlay overlay() {
        return memory == null
                ? overlay
                : overlay.withUpper(new Overlay.Upper(
                        inThisProcess(memory).resolve("upper"),
                        inThisProcess(memory).resolve("work")));
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
                ? overlay().changes(uids, gids)
                : Changes.of(
                        new Changes.Source.Whole(path(), substitute.settled()),
                        overlay.lower(),
                        overlay.reader(),
                        new Comparison.SeenIds(uids, gids));
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
