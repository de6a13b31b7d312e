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

/**
 * A mounted overlay that only this process sees: a tree without a place, which no mount table lists. It is gone when it is
 * closed, or with the JVM. Takes root (CAP_SYS_ADMIN) and Linux 5.12; containers of ordinary users mount theirs themselves.
 * Thread-safe.
 */
public final class OverlayMount implements AutoCloseable {
    private final Overlay overlay;
    private final Mounted mounted;

    private OverlayMount(Overlay overlay, Mounted mounted) {
        this.overlay = overlay;
        this.mounted = mounted;
    }

    static OverlayMount writable(Overlay overlay, Kernel kernel) throws IOException {
        var mounter = new OverlayMounter(kernel);
        var options = overlay.options().parameters();
        if (overlay.upper().isEmpty()) {
            return mount(overlay, Optional.empty(), () -> mounter.inMemory(overlay.lower(), overlay.size(), options));
        }
        var upper = overlay.upper().get();
        var paths = new UpperPaths(upper.directory().toString(), upper.work().toString());
        var prepared = UpperDirectory.prepare(upper.directory(), upper.work(), OptionalLong.empty());
        try {
            return mount(overlay, Optional.of(paths), () -> mounter.onDisk(overlay.lower(), paths, options));
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

    private static OverlayMount mount(Overlay overlay, Optional<UpperPaths> upper, Mounting mounting)
            throws IOException {
        try {
            return new OverlayMount(overlay, mounting.run());
        } catch (LinuxException refused) {
            var cause = Diagnosis.of(overlay.lower(), upper, refused.errno(), false);
            int layers = overlay.lower().size();
            throw new OverlayException(
                    "merge " + layers + (layers == 1 ? " layer: " : " layers: ") + refused.getMessage()
                            + cause.map(c -> "; " + c).orElse(""),
                    refused);
        }
    }

    /** {@return the merged tree, as a path that works in this process until this object is closed} */
    public Path path() {
        return inThisProcess(mounted.root());
    }

    /** {@return what was mounted, its upper as a path that works until this object is closed} */
    public Overlay overlay() {
        return mounted.memory() == null
                ? overlay
                : overlay.withUpper(new Overlay.Upper(
                        inThisProcess(mounted.memory()).resolve("upper"),
                        inThisProcess(mounted.memory()).resolve("work")));
    }

    private static Path inThisProcess(Fd fd) {
        // The dot: without it the path is a symbolic link, which Files.walk and its like do not enter.
        return Path.of("/proc/self/fd/" + fd.number() + "/.");
    }

    /** Lets go of it; what it kept in memory is gone. Idempotent. */
    @Override
    public void close() {
        mounted.close();
    }
}
