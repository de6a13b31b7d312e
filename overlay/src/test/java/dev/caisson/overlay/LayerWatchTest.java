// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.overlay.changes.Change;
import dev.caisson.overlay.changes.LayerWatch;
import dev.caisson.overlay.store.Layer;
import dev.caisson.overlay.store.LayerId;
import dev.caisson.overlay.store.LayerLease;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Layers that somebody changes under a mounted overlay. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class LayerWatchTest {
    /** Longer than any tick of the kernel's clock of files. */
    private static final long TICK_MILLIS = 30;

    @TempDir
    Path temporary;

    private Path top;
    private Path bottom;

    @BeforeEach
    void makeLayers() throws IOException {
        top = Files.createDirectories(temporary.resolve("top/d/e")).getParent().getParent();
        bottom = Files.createDirectories(temporary.resolve("bottom/d/e"))
                .getParent()
                .getParent();
        Files.writeString(top.resolve("d/e/file"), "top");
        Files.writeString(bottom.resolve("d/other"), "bottom");
        Files.writeString(bottom.resolve("d/e/gone"), "bottom");
    }

    private static void waitForTheClock() throws InterruptedException {
        Thread.sleep(TICK_MILLIS);
    }

    private static List<Change> changes(OverlayMount mount) throws IOException {
        try (var changes = mount.changes()) {
            return changes.toList();
        }
    }

    @Test
    void layersLeftAloneAreNotReportedWhateverIsDoneAboveThem() throws Exception {
        try (var mount = Overlay.of(top, bottom).mount()) {
            waitForTheClock();
            Files.writeString(mount.path().resolve("d/e/file"), "new");
            Files.delete(mount.path().resolve("d/other"));
            Files.createLink(mount.path().resolve("d/link"), mount.path().resolve("d/e/gone"));
            assertTrue(changes(mount).stream().noneMatch(Change.LayerChanged.class::isInstance));
            try (var changed = mount.watch().changed()) {
                assertEquals(List.of(), changed.toList());
            }
            assertEquals(Optional.empty(), mount.watch().changedAtTheTop());
        }
    }

    @Test
    void allThatWasChangedInLayersIsFound() throws Exception {
        try (var mount = Overlay.of(top, bottom).mount()) {
            waitForTheClock();
            var time = Files.getLastModifiedTime(top.resolve("d/e/file"));
            Files.writeString(top.resolve("d/e/file"), "TOP");
            Files.setLastModifiedTime(top.resolve("d/e/file"), FileTime.from(time.toInstant()));
            Files.delete(bottom.resolve("d/e/gone"));
            Files.writeString(bottom.resolve("new\n"), "");
            try (var changed = mount.watch().changed()) {
                assertEquals(
                        Set.of(
                                new LayerWatch.Changed(top, "/d/e/file"),
                                new LayerWatch.Changed(bottom, "/"),
                                new LayerWatch.Changed(bottom, "/new\n"),
                                new LayerWatch.Changed(bottom, "/d/e")),
                        changed.collect(java.util.stream.Collectors.toSet()));
            }
            assertEquals(Optional.of(bottom), mount.watch().changedAtTheTop());
        }
    }

    @Test
    void changesSayWhatTheyCannotBeSureOf() throws Exception {
        try (var mount = Overlay.of(top, bottom).mount()) {
            waitForTheClock();
            Files.writeString(mount.path().resolve("d/e/file"), "new");
            Files.writeString(top.resolve("d/e/file"), "changed underneath");
            Files.delete(bottom.resolve("d/other"));
            assertEquals(
                    List.of(
                            new Change.LayerChanged("/d", bottom),
                            new Change.LayerChanged("/d/e/file", top),
                            new Change.Modified(
                                    "/d/e/file", Change.Kind.FILE, Set.of(Change.Aspect.CONTENT), Optional.empty())),
                    changes(mount));
        }
    }

    @Test
    void aReplacedLayerIsReportedAndNotCommittedOn() throws Exception {
        try (var store = LayerStore.open(temporary.resolve("store"));
                var mount = Overlay.of(top, bottom).mount()) {
            Files.writeString(mount.path().resolve("d/e/file"), "new");
            Files.move(bottom, temporary.resolve("away"));
            Files.createDirectory(bottom);
            assertEquals(Optional.of(bottom), mount.watch().changedAtTheTop());
            assertEquals(new Change.LayerChanged("/", bottom), changes(mount).getFirst());
            var failure = assertThrows(IOException.class, () -> mount.commit(store, "x"));
            assertTrue(failure.getMessage().contains(bottom + " was changed or replaced"), failure.getMessage());
            assertEquals(List.of(), store.layers());
        }
    }

    @Test
    void aFallbackIsNotCommittedOnLayersThatChangedUnderIt() throws Exception {
        Path copies = Files.createDirectory(temporary.resolve("copies"));
        var overlay = Overlay.of(top, bottom).withFallbacks(new OverlayFallback.Copy(copies));
        try (var store = LayerStore.open(temporary.resolve("store"));
                var mount = overlay.rootByFallback(new IOException("refused"), java.util.OptionalLong.empty())) {
            waitForTheClock();
            Files.writeString(mount.path().resolve("d/e/file"), "new");
            Files.writeString(top.resolve("d/e/file"), "changed underneath");
            var failure = assertThrows(IOException.class, () -> mount.commit(store, "x"));
            assertTrue(
                    failure.getMessage().contains("/d/e/file was changed in the layer " + top), failure.getMessage());
            assertEquals(List.of(), store.layers());
        }
    }

    @Test
    void aLayerOfAStoreInUseIsNotSwept() throws Exception {
        try (var store = LayerStore.open(temporary.resolve("store"))) {
            Layer lower = store.add(LayerId.parse("test:lower"), Optional.empty(), tree -> {});
            Layer upper = store.add(LayerId.parse("test:upper"), Optional.of(lower), tree -> {});
            try (var _ = LayerLease.of(store.stack(upper))) {
                assertEquals(List.of(), store.sweep().layers());
            }
            assertEquals(2, store.sweep().layers().size());
            assertThrows(IOException.class, () -> LayerLease.of(List.of(upper.directory())));
        }
    }
}
