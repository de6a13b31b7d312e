// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.Arch;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The executable of {@code src/main/shim} in a sealed memfd, one for all shims of this JVM, which share its pages. */
final class ShimImage implements AutoCloseable {
    private @Nullable Fd image;

    /** {@return the compiled code of an architecture} */
    static byte[] load(Arch arch) {
        String name = "shim-" + arch.name().toLowerCase(Locale.ROOT) + ".elf";
        try (var in = ShimImage.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new UnsupportedOperationException("Caisson has no supervisor for " + arch);
            }
            return in.readAllBytes();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /** {@return a copy of the descriptor, for the caller to close} */
    synchronized Fd copy() throws LinuxException {
        if (image == null) {
            image = Files.sealedMemory("caisson-shim", load(Arch.host()), true);
        }
        return Files.duplicate(image.number());
    }

    @Override
    public synchronized void close() {
        if (image != null) {
            image.close();
            image = null;
        }
    }
}
