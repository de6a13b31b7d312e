// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.store;

import static dev.caisson.overlay.store.StoreDirectory.BRANCHES;
import static dev.caisson.overlay.store.StoreDirectory.LOCK;
import static dev.caisson.overlay.store.StoreDirectory.RECORD;
import static dev.caisson.overlay.store.StoreDirectory.TREE;
import static dev.caisson.overlay.store.StoreDirectory.WORK;

import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.OwnedFile;
import dev.caisson.overlay.tree.LayerTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * A writable layer in a {@link LayerStore}, on layers it shares with others. One container at a time may run on it. When none
 * does, it can be {@linkplain #commit committed}, {@linkplain #reset reset} or {@linkplain #close discarded}, which takes the
 * same time whatever is in it, or {@linkplain #restore set back} to a snapshot. It is discarded, too, if this process ends. Thread-safe.
 */
public final class Branch implements AutoCloseable {
    private static final String NEXT_TREE = "tree.next";
    private static final String NEXT_WORK = "work.next";

    private final LayerStore store;
    private final Path directory;
    private final List<Path> lower;
    private final Fd lock;
    private boolean used;
    private boolean ended;

    private Branch(LayerStore store, Path directory, List<Path> lower, Fd lock) {
        this.store = store;
        this.directory = directory;
        this.lower = List.copyOf(lower);
        this.lock = lock;
    }

    static Branch make(LayerStore store, Optional<LayerId> parent, List<Path> outside, List<Path> lower)
            throws IOException {
        var files = store.directory();
        Path directory = files.path(BRANCHES, UUID.randomUUID().toString());
        Files.createDirectory(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var lock = OwnedFile.make(directory.resolve(LOCK), "");
        try {
            var record = LayerRecord.fresh(parent.map(LayerId::toString), outside);
            files.writeSoon(directory.resolve(RECORD), record.text());
            var branch = new Branch(store, directory, lower, lock);
            branch.makeEmpty();
            return branch;
        } catch (IOException | RuntimeException failed) {
            store.trash().discard(directory);
            lock.close();
            throw failed;
        }
    }

    private void makeEmpty() throws IOException {
        makeEmpty(upper(), work());
    }

    private void makeEmpty(Path upper, Path work) throws IOException {
        Files.createDirectory(work);
        Files.createDirectory(upper);
        if (lower.isEmpty()) {
            return;
        }
        // The root of an overlay looks like its upper, which must look like the root it covers.
        try (var top = dev.caisson.linux.sys.Files.open(HostPath.of(lower.getFirst()), OpenFlags.O_PATH, 0);
                var made = dev.caisson.linux.sys.Files.open(HostPath.of(upper), OpenFlags.O_PATH, 0)) {
            var status = FileStatus.of(top);
            var mine = FileStatus.of(made);
            if (mine.uid() != status.uid() || mine.gid() != status.gid()) {
                At.changeOwner(made, status.uid(), status.gid());
            }
            At.changeMode(made, status.permissions());
        }
    }

    /** {@return the directories below, topmost first} */
    public List<Path> lower() {
        return lower;
    }

    /** {@return the directory that holds the changes} */
    public Path upper() {
        return directory.resolve(TREE);
    }

    /** {@return the directory for the kernel's own use} */
    public Path work() {
        return directory.resolve(WORK);
    }

    /** A container on a branch: nobody else uses it, until this is closed. */
    public final class Use implements AutoCloseable {
        private boolean over;

        private Use() {}

        @Override
        public void close() {
            synchronized (Branch.this) {
                if (!over) {
                    over = true;
                    used = false;
                }
            }
        }
    }

    /**
     * Takes the branch for a container.
     *
     * @throws IllegalStateException if another one has it, or it is committed or discarded
     */
    public synchronized Use use() {
        checkFree();
        used = true;
        return new Use();
    }

    private void checkFree() {
        if (ended) {
            throw new IllegalStateException("branch: it is committed or discarded; make another one");
        }
        if (used) {
            throw new IllegalStateException("branch: a container is on it; close that first");
        }
    }

    /**
     * Makes it a layer, without copying anything. The next sweep removes the layer unless something refers to it by then.
     *
     * @throws IllegalStateException if a container is on it
     */
    public synchronized Layer commit() throws IOException {
        return commit(Optional.empty());
    }

    /** As {@link #commit()}, kept under a name. */
    public synchronized Layer commit(String name) throws IOException {
        return commit(Optional.of(LayerStore.checked(name)));
    }

    private Layer commit(Optional<String> name) throws IOException {
        checkFree();
        return become(new LayerId("commit", UUID.randomUUID().toString()), name);
    }

    synchronized Layer become(LayerId id) throws IOException {
        return become(id, Optional.empty());
    }

    private synchronized Layer become(LayerId id, Optional<String> name) throws IOException {
        var layer = store.settle(directory, id, name);
        if (!Files.exists(directory)) {
            ended = true;
            lock.close();
            Path place = layer.directory().resolveSibling(WORK);
            if (Files.exists(place)) {
                store.trash().discard(place);
            }
            Files.deleteIfExists(layer.directory().resolveSibling(LOCK));
        }
        return layer;
    }

    /**
     * Takes all changes back, or, if it throws, leaves all as it was. What was there is removed later, by another thread.
     *
     * @throws IllegalStateException if a container is on it
     */
    public synchronized void reset() throws IOException {
        checkFree();
        replace(this::makeEmpty);
    }

    /**
     * Puts back what a snapshot holds in place of all changes, or, if it throws, leaves all as it was. The snapshot stays as it is;
     * its files are copied, which where the file system can share blocks costs as much as their number.
     *
     * @param snapshot a layer on the same layers as this branch, such as {@code Container.snapshot} makes
     * @throws IllegalArgumentException if it lies on others
     * @throws IllegalStateException if a container is on the branch
     */
    public synchronized void restore(Layer snapshot) throws IOException {
        checkFree();
        var stack = store.stack(snapshot);
        if (!stack.subList(1, stack.size()).equals(lower)) {
            throw new IllegalArgumentException("restore: " + snapshot.id() + " is a layer on "
                    + HostPath.shown(stack.subList(1, stack.size())) + ", and the branch lies on "
                    + HostPath.shown(lower)
                    + "; make another branch on it, by LayerStore.branch");
        }
        replace((upper, work) -> {
            Files.createDirectory(work);
            LayerTree.copy(snapshot.directory(), upper);
        });
    }

    /** Fills directories that are not there yet. */
    @FunctionalInterface
    private interface Content {
        void make(Path upper, Path work) throws IOException;
    }

    private void replace(Content content) throws IOException {
        // All that can be refused comes first, so that it is replaced or as it was.
        Path upper = directory.resolve(NEXT_TREE);
        Path work = directory.resolve(NEXT_WORK);
        try {
            content.make(upper, work);
        } catch (IOException | RuntimeException | Error refused) {
            try {
                LayerTree.remove(upper);
                LayerTree.remove(work);
            } catch (IOException left) {
                refused.addSuppressed(left);
            }
            throw refused;
        }
        store.trash().discard(upper());
        store.trash().discard(work());
        StoreDirectory.rename(upper, upper(), 0);
        StoreDirectory.rename(work, work(), 0);
    }

    /**
     * Discards it, unless it was committed. Idempotent.
     *
     * @throws IllegalStateException if a container is on it
     */
    @Override
    public synchronized void close() throws IOException {
        if (ended) {
            return;
        }
        checkFree();
        ended = true;
        try {
            store.trash().discard(directory);
        } finally {
            lock.close();
        }
    }

    @Override
    public String toString() {
        return "Branch[" + HostPath.shown(directory.getFileName()) + " on " + HostPath.shown(lower) + "]";
    }
}
