// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.overlay.tree.SafeTree;
import dev.caisson.overlay.tree.TreeFileSystem;
import dev.caisson.spec.IdMap;
import java.lang.ref.Cleaner;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The files of a container, from its launch until it is closed, or forgotten. Thread-safe. */
final class KeptFiles implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final Kept kept;
    private final Optional<SafeTree.Owner> owner;
    private @Nullable TreeFileSystem fileSystem;
    private Cleaner.@Nullable Cleanable forgotten;
    private boolean closed;

    /**
     * Takes ownership of what is kept.
     *
     * @param map of the container's user namespace, if the JVM may make files as its root
     */
    KeptFiles(Kept kept, Optional<IdMap> map) {
        this.kept = kept;
        this.owner = map.flatMap(KeptFiles::root);
    }

    /** {@return the host's ids of the container's root} */
    private static Optional<SafeTree.Owner> root(IdMap map) {
        var uid = map.uids().stream().filter(r -> r.inside() == 0).findFirst();
        var gid = map.gids().stream().filter(r -> r.inside() == 0).findFirst();
        return uid.isPresent() && gid.isPresent()
                ? Optional.of(new SafeTree.Owner(uid.get().outside(), gid.get().outside()))
                : Optional.empty();
    }

    /** Sees to it that a container nobody closed and nobody holds gives back what it keeps. */
    synchronized void closeWithoutFail(Object holder) {
        var keptByNobody = kept;
        forgotten = CLEANER.register(holder, keptByNobody::close);
    }

    synchronized TreeFileSystem fileSystem() {
        if (closed) {
            throw new IllegalStateException("fs: the container is closed, and its files are let go");
        }
        if (fileSystem == null) {
            try {
                Fd root = Files.duplicate(kept.root().number());
                fileSystem = TreeFileSystem.over(root, "a container", owner);
                var _ = CLEANER.register(fileSystem, root::close);
            } catch (LinuxException tooMany) {
                throw new IllegalStateException("fs: " + tooMany.getMessage(), tooMany);
            }
        }
        return fileSystem;
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (fileSystem != null) {
            fileSystem.close();
        }
        if (forgotten == null) {
            kept.close();
        } else {
            forgotten.clean();
        }
    }
}
