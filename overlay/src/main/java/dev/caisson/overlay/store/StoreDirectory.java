// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.store;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileData;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.OwnedFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * The directory of a store.
 *
 * <pre>
 *   format                what this is
 *   lock                  held shared by whoever adds, exclusively by whoever sweeps
 *   layers/ID/tree        a layer           layers/ID/record      what it was made on, and whether it is on disk
 *   branches/NAME/tree    a writable layer  branches/NAME/work    the kernel's own
 *   branches/NAME/record  what it lies on   branches/NAME/lock    held while its owner lives
 *   leases/NAME           the id of a layer in use, locked while its user lives
 *   references/NAME       the id of a layer to be kept
 *   contents/ID           the id of the layer with that content
 *   trash/NAME            being removed
 * </pre>
 *
 * What appears under its final name got it by rename(2), and is complete. What is not locked belongs to nobody alive: the
 * kernel drops a lock with its process, however that ends.
 */
final class StoreDirectory {
    static final String LAYERS = "layers";
    static final String BRANCHES = "branches";
    static final String LEASES = "leases";
    static final String REFERENCES = "references";
    static final String CONTENTS = "contents";
    static final String TRASH = "trash";

    private static final List<String> PARTS = List.of(LAYERS, BRANCHES, LEASES, REFERENCES, CONTENTS, TRASH);

    static final String TREE = "tree";
    static final String WORK = "work";
    static final String RECORD = "record";
    static final String LOCK = "lock";

    /** Ends the names of files that are being written. */
    static final String NEXT = OwnedFile.NEXT;

    private static final String FORMAT = "caisson layers 1\n";

    private final Path root;

    private StoreDirectory(Path root) {
        this.root = root;
    }

    /** Opens a store, made if it is missing or empty. */
    static StoreDirectory open(Path directory) throws IOException {
        Path root = directory.toAbsolutePath().normalize();
        java.nio.file.Files.createDirectories(root);
        var store = new StoreDirectory(root);
        Path format = root.resolve("format");
        if (!java.nio.file.Files.exists(format)) {
            try (DirectoryStream<Path> anything = java.nio.file.Files.newDirectoryStream(root)) {
                for (Path found : anything) {
                    String name = found.getFileName().toString();
                    if (!name.equals(LOCK) && !name.equals("lost+found") && !isPart(name)) {
                        throw new IOException("layer store: " + HostPath.shown(root) + " is neither a store nor empty ("
                                + HostPath.shown(found) + "); give it a directory of its own");
                    }
                }
            }
        }
        try (var _ = store.lock(FileData.Lock.EXCLUSIVE)) {
            for (String part : PARTS) {
                // Trees hold set-user-id programs and may hold anybody's files: nobody else may come here.
                store.makeDirectory(part);
            }
            if (!java.nio.file.Files.exists(format)) {
                store.write(format, FORMAT);
            } else if (!java.nio.file.Files.readString(format).equals(FORMAT)) {
                throw new IOException("layer store: " + HostPath.shown(root) + " has the format \""
                        + java.nio.file.Files.readString(format).strip() + "\", which this release does not know");
            }
        }
        return store;
    }

    /**
     * A directory that is the tree of a layer.
     *
     * @param layer its name in the store
     */
    record Held(StoreDirectory store, String layer) {}

    /** {@return the store that a directory is a layer's tree of} Decided by names alone, unless they are those of a store. */
    static Optional<Held> holding(Path tree) {
        int names = tree.getNameCount();
        if (names < 4
                || !tree.endsWith(TREE)
                || !tree.getName(names - 3).toString().equals(LAYERS)) {
            return Optional.empty();
        }
        Path root = Path.of("/").resolve(tree.subpath(0, names - 3));
        return java.nio.file.Files.isRegularFile(root.resolve("format"))
                ? Optional.of(new Held(
                        new StoreDirectory(root), tree.getName(names - 2).toString()))
                : Optional.empty();
    }

    /** Of a store whose making was interrupted. */
    private static boolean isPart(String name) {
        return PARTS.contains(name) || name.endsWith(NEXT);
    }

    private void makeDirectory(String part) throws IOException {
        if (!java.nio.file.Files.isDirectory(root.resolve(part))) {
            var mine = PosixFilePermissions.fromString("rwx------");
            java.nio.file.Files.createDirectory(root.resolve(part), PosixFilePermissions.asFileAttribute(mine));
        }
    }

    /** {@return a path in the store} */
    Path path(String first, String... more) {
        return root.resolve(Path.of(first, more));
    }

    /** {@return the names in a part of the store, in order} */
    List<String> names(String part) throws IOException {
        var names = new ArrayList<String>();
        try (DirectoryStream<Path> list = java.nio.file.Files.newDirectoryStream(root.resolve(part))) {
            for (Path found : list) {
                if (!found.getFileName().toString().endsWith(NEXT)) {
                    names.add(found.getFileName().toString());
                }
            }
        }
        names.sort(null);
        return names;
    }

    /** {@return what a small file says; empty if it is not there, as one that was just released} */
    Optional<String> read(Path file) throws IOException {
        try {
            return Optional.of(java.nio.file.Files.readString(file).strip());
        } catch (NoSuchFileException gone) {
            return Optional.empty();
        }
    }

    /** Removes what writers that were killed have left in a part of the store; nobody may be writing there. */
    void removeUnfinished(Path part) throws IOException {
        try (DirectoryStream<Path> list = java.nio.file.Files.newDirectoryStream(part, "*" + NEXT)) {
            for (Path left : list) {
                java.nio.file.Files.deleteIfExists(left);
            }
        } catch (NoSuchFileException gone) {
            // Its owner has discarded it.
        }
    }

    /** {@return the lock of the whole store, held until it is closed} */
    Fd lock(FileData.Lock lock) throws IOException {
        var fd = Files.open(HostPath.of(root.resolve(LOCK)), OpenFlags.O_RDWR | OpenFlags.O_CREAT, 0600);
        try {
            FileData.lock(fd, lock);
            return fd;
        } catch (LinuxException failed) {
            fd.close();
            throw failed;
        }
    }

    /** Writes a file as a whole: whoever reads it, after a crash too, reads all of it or what was there before. */
    void write(Path file, String content) throws IOException {
        Path next = file.resolveSibling(UUID.randomUUID() + NEXT);
        try (var fd = Files.open(HostPath.of(next), OpenFlags.O_RDWR | OpenFlags.O_CREAT | OpenFlags.O_EXCL, 0600)) {
            write(fd, content);
            FileData.sync(fd);
        }
        rename(next, file, 0);
    }

    /** Writes a new file that may be lost, whole or in part, if the power fails. */
    void writeSoon(Path file, String content) throws IOException {
        try (var fd = Files.open(HostPath.of(file), OpenFlags.O_RDWR | OpenFlags.O_CREAT | OpenFlags.O_EXCL, 0600)) {
            write(fd, content);
        }
    }

    private static void write(Fd fd, String content) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
            Files.writeFully(fd, arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes));
        }
    }

    /** Renames within the store. */
    static void rename(Path from, Path to, int flags) throws IOException {
        try (var old = above(from);
                var place = above(to)) {
            At.rename(old, name(from), place, name(to), flags);
        }
    }

    private static Fd directory(Path directory) throws LinuxException {
        return Files.open(HostPath.of(directory), OpenFlags.O_DIRECTORY, 0);
    }

    private static Fd above(Path path) throws LinuxException {
        return directory(path.resolveSibling("."));
    }

    private static byte[] name(Path path) {
        return FileNames.encode(HostPath.of(path.getFileName()));
    }

    /** Waits until the entries of a part of the store are on disk. */
    void sync(String part) throws IOException {
        try (var directory = directory(root.resolve(part))) {
            FileData.sync(directory);
        }
    }

    /** Waits until everything in the store is on disk. */
    void syncAll() throws IOException {
        try (var directory = directory(root)) {
            FileData.syncFileSystem(directory);
        }
    }

    @Override
    public String toString() {
        return root.toString();
    }
}
