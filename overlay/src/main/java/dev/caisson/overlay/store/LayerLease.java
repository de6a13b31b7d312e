// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.store;

import static dev.caisson.overlay.store.StoreDirectory.LAYERS;
import static dev.caisson.overlay.store.StoreDirectory.LEASES;
import static dev.caisson.overlay.store.StoreDirectory.RECORD;

import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileData;
import dev.caisson.linux.sys.OwnedFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** A claim on layers of stores, which no sweep removes until it is closed or this process ends. */
public final class LayerLease implements AutoCloseable {
    private final List<Claim> claims;

    /** A locked file that names a layer. */
    record Claim(Path file, Fd lock) {}

    /** {@return a claim on nothing} */
    public static LayerLease none() {
        return new LayerLease(List.of());
    }

    LayerLease(List<Claim> claims) {
        this.claims = claims;
    }

    /**
     * {@return a claim on those of the directories that are layers of a store, and on all below them} A container takes one for
     * itself. Directories elsewhere cost nothing.
     *
     * @throws NoSuchFileException if one is not in its store any more
     */
    public static LayerLease of(List<Path> directories) throws IOException {
        var claims = new ArrayList<Claim>();
        var covered = new HashSet<Path>();
        boolean done = false;
        try {
            for (Path tree : directories) {
                var held = StoreDirectory.holding(tree);
                if (held.isPresent() && !covered.contains(tree)) {
                    claims.add(claim(held.get().store(), held.get().layer(), covered));
                }
            }
            done = true;
            return new LayerLease(claims);
        } finally {
            if (!done) {
                new LayerLease(claims).close();
            }
        }
    }

    private static Claim claim(StoreDirectory store, String name, Set<Path> covered) throws IOException {
        try (var _ = store.lock(FileData.Lock.SHARED)) {
            var id = LayerStore.id(name);
            for (var layer = Optional.of(id); layer.isPresent(); ) {
                Path directory = store.path(LAYERS, LayerStore.file(layer.get()));
                var record = LayerRecord.read(directory.resolve(RECORD));
                if (record.isEmpty()) {
                    throw new NoSuchFileException(
                            directory.toString(), null, "the layer " + layer.get() + " is not in the store");
                }
                covered.add(directory.resolve(StoreDirectory.TREE));
                layer = record.get().parent().map(LayerId::parse);
            }
            Path file = store.path(LEASES, UUID.randomUUID().toString());
            return new Claim(file, OwnedFile.make(file, id.toString()));
        }
    }

    /** {@return what holds the claim: who has a copy of all of them has it, too} */
    public List<Integer> descriptors() {
        return claims.stream().map(claim -> claim.lock().number()).toList();
    }

    /** Gives up this process's part of a claim that somebody else holds, too. */
    public void handedOver() {
        claims.forEach(claim -> claim.lock().close());
    }

    @Override
    public void close() throws IOException {
        for (var claim : claims) {
            if (claim.lock().isOpen()) {
                Files.deleteIfExists(claim.file());
                claim.lock().close();
            }
        }
    }
}
