// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.overlay.tree.SafeTree;
import dev.caisson.spec.Mount;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Makes the directories of volumes that are not there yet, and gives them to the user of the command. */
final class Volumes implements AutoCloseable {
    private final List<Made> made = new ArrayList<>();

    /** A directory that was made here, by a descriptor: its name may mean something else by now. */
    private record Made(Path path, Fd directory) {}

    private Volumes() {}

    /** Makes what is missing. */
    static Volumes make(List<Mount> mounts) throws IOException {
        var volumes = new Volumes();
        try {
            for (var mount : mounts) {
                if (mount instanceof Mount.Bind bind && bind.options().contains(Mount.Option.MAKE_SOURCE)) {
                    volumes.make(bind.source());
                }
            }
            return volumes;
        } catch (IOException | RuntimeException | Error failed) {
            volumes.close();
            throw failed;
        }
    }

    private void make(Path directory) throws IOException {
        var parent = directory.getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        try {
            Files.createDirectory(directory);
        } catch (FileAlreadyExistsException there) {
            if (!Files.isDirectory(directory)) {
                throw new LaunchException(
                        "volume: " + HostPath.shown(directory) + " is there and not a directory", "", there);
            }
            return; // Its owner and permissions are its user's business.
        }
        made.add(new Made(
                directory,
                dev.caisson.linux.sys.Files.open(HostPath.of(directory), OpenFlags.O_PATH | OpenFlags.O_NOFOLLOW, 0)));
    }

    /**
     * Gives the directories made here to somebody.
     *
     * @param owner by the host's numbers; empty: they stay this process's own
     */
    void give(Optional<SafeTree.Owner> owner) throws IOException {
        if (owner.isEmpty()) {
            return;
        }
        for (var volume : made) {
            try {
                At.changeOwner(
                        volume.directory(), owner.get().uid(), owner.get().gid());
            } catch (LinuxException refused) {
                throw new LaunchException(
                        "volume: give " + HostPath.shown(volume.path()) + " to the container's user: "
                                + refused.getMessage(),
                        "",
                        refused);
            }
        }
    }

    @Override
    public void close() {
        made.forEach(volume -> volume.directory().close());
        made.clear();
    }
}
