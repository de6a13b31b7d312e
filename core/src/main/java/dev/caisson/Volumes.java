// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.At;
import dev.caisson.overlay.tree.SafeTree;
import dev.caisson.spec.Mount;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Makes the directories of volumes that are not there yet. */
final class Volumes {
    private Volumes() {}

    /**
     * Makes them.
     *
     * @param owner the container's root, if it is somebody else than this process
     */
    static void make(List<Mount> mounts, Optional<SafeTree.Owner> owner) throws IOException {
        for (var mount : mounts) {
            if (mount instanceof Mount.Bind bind && bind.options().contains(Mount.Option.MAKE_SOURCE)) {
                make(bind.source(), owner);
            }
        }
    }

    private static void make(Path directory, Optional<SafeTree.Owner> owner) throws IOException {
        var parent = directory.getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        try {
            Files.createDirectory(directory);
        } catch (FileAlreadyExistsException there) {
            if (!Files.isDirectory(directory)) {
                throw new ContainerException("volume: " + directory + " is there and no directory", "", there);
            }
            return; // Its owner and permissions are its user's business.
        }
        if (owner.isPresent()) {
            try (var made = dev.caisson.linux.sys.Files.open(
                    directory.toString(), dev.caisson.linux.sys.Files.O_PATH | (int) At.O_NOFOLLOW, 0)) {
                At.changeOwner(made, owner.get().uid(), owner.get().gid());
            } catch (LinuxException refused) {
                throw new ContainerException(
                        "volume: give " + directory + " to the container's root: " + refused.getMessage(), "", refused);
            }
        }
    }
}
