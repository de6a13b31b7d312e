// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.fallback;

import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Identity;
import dev.caisson.linux.sys.OwnedFile;
import dev.caisson.overlay.mark.MarkReader;
import dev.caisson.overlay.mount.Settled;
import dev.caisson.overlay.store.Removal;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * A copy of merged layers in a directory of its own, gone with this object. A file beside it is locked while this process
 * lives, however it ends; whoever makes the next copy there removes those whose owners are dead.
 */
public final class CopiedTree implements AutoCloseable {
    private static final String NAME = "caisson-copy-";
    private static final String LOCK = ".lock";

    private final Path directory;
    private final Path lockFile;
    private final Fd lock;
    private final FileStatus.Time settled;

    private CopiedTree(Path directory, Path lockFile, Fd lock, FileStatus.Time settled) {
        this.directory = directory;
        this.lockFile = lockFile;
        this.lock = lock;
        this.settled = settled;
    }

    /**
     * Copies.
     *
     * @param owner user and group of the tree's root, if it is not to be that of the layers
     * @param sharedOnly whether files are to share their blocks with the layers
     */
    public static CopiedTree make(
            Path place, List<Path> lower, MarkReader reader, OptionalLong owner, boolean sharedOnly)
            throws IOException, MergedCopy.NotShared {
        removeAbandoned(place);
        Path directory = place.resolve(NAME + UUID.randomUUID());
        Path lockFile = directory.resolveSibling(directory.getFileName() + LOCK);
        Fd lock = OwnedFile.make(lockFile, "");
        boolean done = false;
        try {
            java.nio.file.Files.createDirectory(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            Path tree = java.nio.file.Files.createDirectory(tree(directory));
            MergedCopy.fill(tree, lower, reader, Identity.isRoot(), sharedOnly);
            FileStatus.Time settled;
            if (owner.isPresent()) {
                try (var root = Files.open(HostPath.of(tree), OpenFlags.O_PATH, 0)) {
                    At.changeOwner(root, owner.getAsLong(), owner.getAsLong());
                }
            }
            try (var here = Files.open(HostPath.of(directory), OpenFlags.O_DIRECTORY, 0)) {
                settled = Settled.in(here);
            }
            done = true;
            return new CopiedTree(directory, lockFile, lock, settled);
        } finally {
            if (!done) {
                remove(directory, lockFile);
                lock.close();
            }
        }
    }

    private static Path tree(Path directory) {
        return directory.resolve("tree");
    }

    private static void remove(Path directory, Path lockFile) throws IOException {
        if (java.nio.file.Files.exists(directory)) {
            Removal.here().remove(directory);
        }
        java.nio.file.Files.deleteIfExists(lockFile);
    }

    private static void removeAbandoned(Path place) throws IOException {
        try (var all = java.nio.file.Files.newDirectoryStream(place, NAME + "*" + LOCK)) {
            for (Path lockFile : all) {
                if (OwnedFile.isAbandoned(lockFile)) {
                    String name = lockFile.getFileName().toString();
                    remove(lockFile.resolveSibling(name.substring(0, name.length() - LOCK.length())), lockFile);
                }
            }
        }
    }

    public Path tree() {
        return tree(directory);
    }

    /** {@return when the copy was done, by the clock of its file system} */
    public FileStatus.Time settled() {
        return settled;
    }

    @Override
    public void close() throws IOException {
        if (lock.isOpen()) {
            try {
                remove(directory, lockFile);
            } finally {
                lock.close();
            }
        }
    }
}
