// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.sys.Directory;
import dev.caisson.overlay.changes.CopyUp;
import dev.caisson.overlay.store.Layer;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.testkit.LoopFileSystem;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Disks that are full, read-only or of an unfit kind, and trees that are meant to confuse. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class BadInputTest {
    private static final String NOT_UTF8 = "\udcff\n\udc80";

    @TempDir
    Path temporary;

    private Path layer() throws IOException {
        Path layer = Files.createDirectories(temporary.resolve("layer"));
        Files.write(layer.resolve("big"), new byte[4 << 20]);
        Files.writeString(layer.resolve("small"), "small");
        return layer;
    }

    private static List<String> names(Path directory) throws IOException {
        try (var list = Files.list(directory)) {
            return list.map(p -> p.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void aCopyThatDoesNotFitIsGone() throws Exception {
        Path layer = layer();
        try (var disk = LoopFileSystem.make(temporary, "tmpfs", 2)) {
            var overlay = Overlay.of(layer).withFallbacks(new OverlayFallback.Copy(disk.root()));
            var failure = assertThrows(
                    OverlayException.class,
                    () -> overlay.rootByFallback(new IOException("refused"), OptionalLong.empty()));
            assertTrue(failure.getMessage().contains("ENOSPC"), failure.getMessage());
            assertEquals(List.of(), names(disk.root()));
        }
    }

    @Test
    void aCommitThatDoesNotFitIsNoLayer() throws Exception {
        Path layer = layer();
        try (var disk = LoopFileSystem.make(temporary, "ext4", 8)) {
            try (var store = LayerStore.open(disk.root().resolve("store"))) {
                try (var mount = Overlay.of(layer).mount()) {
                    Files.write(mount.path().resolve("new"), new byte[12 << 20]);
                    var failure = assertThrows(IOException.class, () -> mount.commit(store, "x"));
                    assertTrue(failure.getMessage().contains("ENOSPC"), failure.getMessage());
                }
                assertEquals(List.of(), store.layers());
                assertEquals(Optional.empty(), store.referenced("x"));
            }
            assertEquals(List.of(), names(disk.root().resolve("store/branches")));
            assertEquals(List.of(), names(disk.root().resolve("store/trash")));
        }
    }

    @Test
    void aBranchOnAFullDiskIsResetOrAsItWas() throws Exception {
        Path layer = layer();
        try (var disk = LoopFileSystem.make(temporary, "ext4", 8, "-m", "0");
                var store = LayerStore.open(disk.root().resolve("store"));
                var branch = store.branch(layer)) {
            Files.writeString(branch.upper().resolve("kept"), "kept");
            disk.fill();
            try {
                branch.reset();
                assertEquals(List.of(), names(branch.upper()));
            } catch (IOException full) {
                assertTrue(full.getMessage().contains("space"), full.getMessage());
                assertEquals("kept", Files.readString(branch.upper().resolve("kept")));
                assertTrue(Files.isDirectory(branch.work()));
            }
        }
    }

    @Test
    void anUpperOnAReadOnlyDiskIsNamed() throws Exception {
        Path layer = layer();
        try (var disk = LoopFileSystem.make(temporary, "ext4", 8)) {
            Files.createDirectory(disk.root().resolve("upper"));
            Files.createDirectory(disk.root().resolve("upper.work"));
            disk.freeze();
            var overlay = Overlay.of(layer).withUpper(disk.root().resolve("upper"));
            var failure = assertThrows(IOException.class, () -> overlay.mount().close());
            assertTrue(failure.getMessage().contains("is on a ext4 mounted read-only"), failure.getMessage());
        }
    }

    @Test
    void anUpperWithoutExtendedAttributesIsNamedOrWorks() throws Exception {
        Path layer = layer();
        try (var disk = LoopFileSystem.make(temporary, "ramfs", 8)) {
            var overlay = Overlay.of(layer).withUpper(disk.root().resolve("upper"));
            try (var mount = overlay.mount()) {
                // The kernel takes it, without what needs attributes.
                Files.writeString(mount.path().resolve("small"), "new");
                Files.createDirectory(mount.path().resolve("d"));
                assertEquals(
                        List.of("Added /d", "Modified /small"),
                        mount.changes()
                                .map(c -> c.getClass().getSimpleName() + " " + c.path())
                                .toList());
            } catch (OverlayException refused) {
                assertTrue(refused.getMessage().contains("is on ramfs"), refused.getMessage());
                assertTrue(refused.getMessage().contains("extended attributes"), refused.getMessage());
            }
        }
    }

    @Test
    void anUpperInsideALayerIsNamed() throws Exception {
        Path layer = layer();
        var overlay = Overlay.of(layer).withUpper(layer.resolve("upper"));
        try (var mount = overlay.mount()) {
            // Should the kernel take it, it hides nothing and changes nothing else.
            assertTrue(Files.exists(mount.path().resolve("small")));
        } catch (OverlayException refused) {
            assertTrue(refused.getMessage().contains("lies inside another"), refused.getMessage());
            assertEquals(List.of("big", "small"), names(layer));
        }
    }

    @Test
    void symbolicLinksThatLeadInCirclesAreLinks() throws Exception {
        Path layer = layer();
        Files.createSymbolicLink(layer.resolve("a"), Path.of("b"));
        Files.createSymbolicLink(layer.resolve("b"), Path.of("a"));
        Files.createDirectory(layer.resolve("d"));
        Files.createSymbolicLink(layer.resolve("d/up"), Path.of(".."));
        Path copies = Files.createDirectory(temporary.resolve("copies"));
        var overlay = Overlay.of(layer).withFallbacks(new OverlayFallback.Copy(copies));
        try (var copy = overlay.rootByFallback(new IOException("refused"), OptionalLong.empty());
                var kernels = Overlay.of(layer).mount();
                var store = LayerStore.open(temporary.resolve("store"))) {
            for (var mount : List.of(copy, kernels)) {
                Files.createSymbolicLink(mount.path().resolve("d/d"), Path.of("../d"));
                Files.delete(mount.path().resolve("b"));
                assertEquals(
                        List.of("Deleted /b", "Added /d/d"),
                        mount.changes()
                                .map(c -> c.getClass().getSimpleName() + " " + c.path())
                                .toList());
                Layer made = mount.commit(store, "loops");
                assertTrue(Files.isSymbolicLink(made.directory().resolve("d/d")));
            }
        }
    }

    @Test
    void namesThatAreNoUtf8AreExact() throws Exception {
        Path layer = layer();
        try (var directory = Directory.open(layer.toString())) {
            directory.makeDirectory(NOT_UTF8, 0755);
            directory.makeLink(NOT_UTF8 + "l", "x");
        }
        Path copies = Files.createDirectory(temporary.resolve("copies"));
        var overlay = Overlay.of(layer).withFallbacks(new OverlayFallback.Copy(copies));
        try (var copy = overlay.rootByFallback(new IOException("refused"), OptionalLong.empty());
                var kernels = Overlay.of(layer).mount();
                var store = LayerStore.open(temporary.resolve("store"))) {
            for (var mount : List.of(copy, kernels)) {
                try (var root = Directory.open(mount.path().toString());
                        var directory = root.directory(NOT_UTF8).orElseThrow()) {
                    directory.makeDirectory("in" + NOT_UTF8, 0700);
                    dev.caisson.linux.sys.At.unlink(root.fd(), dev.caisson.linux.call.FileNames.encode(NOT_UTF8 + "l"));
                }
                assertEquals(
                        List.of("Added /" + NOT_UTF8 + "/in" + NOT_UTF8, "Deleted /" + NOT_UTF8 + "l"),
                        mount.changes()
                                .map(c -> c.getClass().getSimpleName() + " " + c.path())
                                .toList());
                Layer made = mount.commit(store, "names");
                try (var root = Directory.open(made.directory().toString());
                        var directory = root.directory(NOT_UTF8).orElseThrow()) {
                    assertTrue(directory.stat("in" + NOT_UTF8).orElseThrow().isDirectory());
                    assertTrue(root.stat(NOT_UTF8 + "l").orElseThrow().isCharacterDevice());
                }
            }
        }
        assertFalse(Files.exists(temporary.resolve("layer/small/x")));
    }

    @Test
    void blocksAreSharedWhereTheFileSystemCan() throws Exception {
        try (var disk = LoopFileSystem.make(temporary, "xfs", 320, "-m", "reflink=1")) {
            Path layer = Files.createDirectory(disk.root().resolve("layer"));
            Files.write(layer.resolve("big"), new byte[8 << 20]);
            Path upper = Files.createDirectory(disk.root().resolve("upper"));
            try (var copyUp = new CopyUp(upper, List.of(layer), false)) {
                assertEquals(8 << 20, copyUp.of("/big").sharedBytes());
            }
            Path copies = Files.createDirectory(disk.root().resolve("copies"));
            long free = Files.getFileStore(disk.root()).getUsableSpace();
            var overlay = Overlay.of(layer).withFallbacks(new OverlayFallback.Reflink(copies));
            try (var copy = overlay.rootByFallback(new IOException("refused"), OptionalLong.empty())) {
                assertEquals(8 << 20, Files.size(copy.path().resolve("big")));
                assertTrue(free - Files.getFileStore(disk.root()).getUsableSpace() < 4 << 20);
                Files.write(copy.path().resolve("big"), new byte[] {1});
                assertEquals(0, Files.readAllBytes(layer.resolve("big"))[0]);
            }
            try (var mount = Overlay.of(layer).withUpper(upper).mount()) {
                free = Files.getFileStore(disk.root()).getUsableSpace();
                Files.setLastModifiedTime(mount.path().resolve("big"), java.nio.file.attribute.FileTime.fromMillis(0));
                assertTrue(free - Files.getFileStore(disk.root()).getUsableSpace() < 4 << 20);
            }
        }
    }
}
