// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.store;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Files;
import dev.caisson.overlay.tree.TreeRemoval;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Removes trees that a {@link LayerStore} is done with. An ordinary user whose containers have several ids needs one that acts
 * inside a user namespace, where it is root over those ids; the module {@code dev.caisson} has it.
 */
@FunctionalInterface
public interface Removal {
    /** Removes a directory and all that is in it. */
    void remove(Path directory) throws IOException;

    /** {@return the removal by this process itself} */
    static Removal here() {
        return directory -> {
            var parent = directory.toAbsolutePath().getParent();
            var name = directory.getFileName();
            if (parent == null || name == null) {
                throw new IllegalArgumentException("removal: " + HostPath.shown(directory) + " is a root");
            }
            try (var above = Files.open(HostPath.of(parent), OpenFlags.O_PATH | OpenFlags.O_DIRECTORY, 0)) {
                TreeRemoval.remove(above, FileNames.encode(HostPath.of(name)));
            } catch (LinuxException refused) {
                throw new IOException("remove " + HostPath.shown(directory) + ": " + refused.getMessage(), refused);
            }
        };
    }
}
