// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.ByteUnit;
import dev.caisson.overlay.OverlayOptions;
import dev.caisson.overlay.changes.Change;
import dev.caisson.overlay.changes.LayerWatch;
import dev.caisson.overlay.store.LayerId;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Mount;
import dev.caisson.testkit.LoopFileSystem;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@NeedsRoot
@ExtendWith(NoLeaks.class)
class LayersTest {
    @TempDir
    Path directory;

    private Path base;

    @BeforeEach
    void makeBase() throws IOException {
        base = Files.createDirectories(directory.resolve("base"));
        for (String name : List.of("bin", "lib", "lib64")) {
            Files.createSymbolicLink(base.resolve(name), Path.of("usr", name));
        }
        Files.createDirectories(base.resolve("d"));
        Files.writeString(base.resolve("d/file"), "of the base");
    }

    private ContainerBuilder over(List<Path> layers) {
        return Container.builder().lower(layers).bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY);
    }

    private static ContainerBuilder sandbox(Path... layers) {
        return Container.sandbox().lower(layers).bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY);
    }

    private ContainerBuilder overBase() {
        return over(List.of(base));
    }

    @Test
    void fiveHundredLayersAreARoot() throws Exception {
        var layers = new ArrayList<Path>();
        for (int i = 0; i < 499; i++) {
            Path layer = Files.createDirectory(directory.resolve("layer" + i));
            Files.writeString(layer.resolve("of" + i), "");
            layers.add(layer);
        }
        layers.add(base);
        assertEquals("499", sh(over(layers), "ls / | grep -c ^of"));
    }

    @Test
    void pathsLongerThanTheKernelTakesAreLayersAndUppers() throws Exception {
        Path deep = directory.resolve("x".repeat(200)).resolve("y:,\\" + "z".repeat(200));
        Path layer = Files.createDirectories(deep.resolve("layer"));
        Files.writeString(layer.resolve("deep"), "");
        sh(over(List.of(layer, base)).upper(deep.resolve("upper")), "ls /deep; echo kept > /new");
        assertEquals("kept\n", Files.readString(deep.resolve("upper/new")));
    }

    @Test
    void theDirectoriesOfAnUpperAreMade() throws Exception {
        Path upper = directory.resolve("up, per\\");
        sh(overBase().upper(upper), "echo kept > /new");
        assertEquals("kept\n", Files.readString(upper.resolve("new")));
    }

    @Test
    void theDirectoriesOfAnUpperGoWithALaunchThatFails() {
        var container = over(List.of(base, directory.resolve("none"))).upper(directory.resolve("upper"));
        assertThrows(ContainerException.class, () -> container.run("/bin/true"));
        assertFalse(Files.exists(directory.resolve("upper")));
        assertFalse(Files.exists(directory.resolve("upper.work")));
    }

    @Test
    void anUpperOfAUserNamespaceBelongsToItsRoot() throws Exception {
        Path upper = directory.resolve("upper");
        var container = overBase().upper(upper).newUser(IdMap.range(0, 700_000, 65_536));
        assertEquals("0", sh(container, "echo x > /new; stat -c %u /new"));
        assertEquals(700_000, Files.getAttribute(upper.resolve("new"), "unix:uid"));
        Path another = Files.createDirectory(directory.resolve("another"));
        Files.createFile(another.resolve("of somebody else"));
        var failure = assertThrows(
                ContainerException.class,
                () -> overBase()
                        .upper(another)
                        .newUser(IdMap.range(0, 700_000, 65_536))
                        .run("/bin/true"));
        assertTrue(failure.getMessage().contains("belongs to uid 0"), failure.getMessage());
    }

    @Test
    void anUpperInMemoryHasItsSize() throws Exception {
        assertEquals(
                "full",
                sh(overBase().upperSize(1, ByteUnit.MB), "head -c 2000000 /dev/zero > /big 2>/dev/null || echo full"));
    }

    @Test
    void aDirectoryOfALayerIsRenamedWithRedirectsOnly() throws Exception {
        String rename = "perl -e 'rename(\"/d\", \"/e\") ? print \"renamed\" : print $!'";
        var off = OverlayOptions.defaults().redirectDir(OverlayOptions.RedirectDir.OFF);
        var on = OverlayOptions.defaults().redirectDir(OverlayOptions.RedirectDir.ON);
        assertEquals("Invalid cross-device link", sh(overBase().overlayOptions(off), rename));
        assertEquals("renamed", sh(overBase().overlayOptions(on), rename));
    }

    @Test
    void redirectsContradictAUserNamespace() {
        var container = overBase()
                .newUser(IdMap.range(0, 700_000, 65_536))
                .overlayOptions(OverlayOptions.defaults().redirectDir(OverlayOptions.RedirectDir.ON));
        var failure = assertThrows(IllegalStateException.class, () -> container.run("/bin/true"));
        assertTrue(failure.getMessage().contains("redirectDir"), failure.getMessage());
    }

    @Test
    void oneLayerServesDifferentIdMaps() throws Exception {
        for (int outside : List.of(700_000, 800_000)) {
            var container = overBase().newUser(IdMap.range(0, outside, 65_536));
            String change = "echo changed > /d/file; echo $(stat -c %u /d/file) $(cat /d/file)";
            assertEquals("0 changed", sh(container, change));
            assertEquals("0 changed", sh(container.idmappedLayers(), change));
        }
        assertEquals(0, Files.getAttribute(base.resolve("d/file"), "unix:uid"));
        assertEquals("of the base", Files.readString(base.resolve("d/file")));
    }

    @Test
    void layersOfRootBelongToRootInASandbox() throws Exception {
        assertEquals("0 0", sh(sandbox(base), "echo $(stat -c %u /d/file) $(stat -c %u /d)"));
    }

    @Test
    void aSandboxIsOnABranchOfRootsLayers() throws Exception {
        try (var store = LayerStore.open(directory.resolve("store"))) {
            try (var branch = store.branch(base)) {
                String change = "echo changed > /d/file; mkdir /e; stat -c %u /d/file";
                assertEquals("0", sh(sandbox(base).on(branch), change));
                branch.commit("changed");
            }
            // What was written with the ids of the user namespace has them on disk, and is not shown with others.
            try (var branch = store.branch(store.referenced("changed").orElseThrow())) {
                assertEquals("0 changed", sh(sandbox(base).on(branch), "echo $(stat -c %u /d/file) $(cat /d/file)"));
            }
        }
    }

    @Test
    void layersThatCannotHaveOtherIdsHaveThoseOnDisk() throws Exception {
        try (var memory = LoopFileSystem.make(directory, "ramfs", 1)) {
            Files.createFile(memory.root().resolve("file"));
            assertEquals("65534", sh(sandbox(memory.root(), base), "stat -c %u /file"));
        }
    }

    @Test
    void aFileBelowADirectoryOfTheCallerAloneIsBoundIntoASandbox() throws Exception {
        Path secret = Files.createDirectory(
                directory.resolve("mine"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.writeString(secret.resolve("file"), "seen");
        assertEquals("seen", sh(sandbox(base).bind(secret.resolve("file"), "/seen"), "cat /seen"));
    }

    @Test
    void aLayerThatCannotHaveOtherIdsIsNamed() {
        var container = over(List.of(Path.of("/proc/sys"), base))
                .newUser(IdMap.range(0, 700_000, 65_536))
                .idmappedLayers();
        var failure = assertThrows(ContainerException.class, () -> container.run("/bin/true"));
        assertTrue(failure.getMessage().contains("/proc/sys"), failure.getMessage());
        assertTrue(failure.getMessage().contains("does not allow"), failure.getMessage());
    }

    @Test
    void theKernelsOwnWordsAreInTheMessage() throws Exception {
        for (var container : List.of(
                overBase().upper(Path.of("/proc/sys/kernel"), Path.of("/proc/sys/vm")), // No upper can be there.
                overBase()
                        .upper(Path.of("/proc/sys/kernel"), Path.of("/proc/sys/vm"))
                        .init())) {
            var failure = assertThrows(ContainerException.class, () -> container.run("/bin/true"));
            assertTrue(failure.getMessage().contains("the kernel says: overlay: "), failure.getMessage());
            assertTrue(failure.getMessage().contains("is on proc"), failure.getMessage());
        }
    }

    @Test
    void whatAContainerChangedIsListedWhereverItsUpperIs() throws Exception {
        for (var container : List.of(
                overBase(),
                overBase().upper(directory.resolve("upper")),
                overBase().newUser(IdMap.range(0, 700_000, 65_536)).idmappedLayers())) {
            try (var running = container.start("/bin/sh", "-c", "echo x > /new; rm -r /d; mkdir /d; ln -s a /link")) {
                assertEquals(0, running.waitFor() instanceof Exit.Exited(int code) ? code : -1);
                try (var changes = running.changes()) {
                    var said = changes.map(c -> c.getClass().getSimpleName() + " " + c.path())
                            .filter(line -> !line.matches("Added /(dev|proc|sys|usr).*"))
                            .toList();
                    assertEquals(List.of("Deleted /d/file", "Added /link", "Added /new"), said);
                }
                assertTrue(running.origin("/d/file").kind().isEmpty());
                assertEquals(base, running.origin("/bin").layer().orElseThrow());
            }
        }
    }

    @Test
    void aLayerThatSomebodyChangesUnderneathIsReportedAndNotCommittedOn() throws Exception {
        try (var store = LayerStore.open(directory.resolve("store"));
                var running = overBase().start("/bin/sh", "-c", "echo x > /d/file; read line");
                var other = overBase().start("/bin/true")) {
            other.waitFor().orThrow();
            assertEquals(0, other.layerWatch().changed().count());
            while (!Files.readString(running.fs().getPath("/d/file")).equals("x\n")) {
                Thread.sleep(10);
            }
            Thread.sleep(30);
            Files.writeString(base.resolve("d/file"), "changed underneath");
            Files.createFile(base.resolve("new"));
            running.stdin().close();
            running.waitFor();
            try (var changes = running.changes()) {
                assertTrue(changes.anyMatch(new Change.LayerChanged("/d/file", base)::equals));
            }
            try (var changed = running.layerWatch().changed()) {
                assertTrue(changed.anyMatch(new LayerWatch.Changed(base, "/new")::equals));
            }
            var failure = assertThrows(IOException.class, () -> running.commit(store, "x"));
            assertTrue(failure.getMessage().contains(base + " was changed or replaced"), failure.getMessage());
        }
    }

    @Test
    void theLayersOfAStoreThatAContainerUsesAreNotSwept() throws Exception {
        try (var store = LayerStore.open(directory.resolve("store"))) {
            var layer = store.add(
                    LayerId.parse("test:one"), Optional.empty(), tree -> Files.writeString(tree.resolve("x"), "of it"));
            try (var running = over(List.of(layer.directory(), base)).start("/bin/cat", "/x")) {
                assertEquals(List.of(), store.sweep().layers());
                running.waitFor().orThrow();
            }
            assertEquals(1, store.sweep().layers().size());
        }
    }

    @Test
    void namesThatWouldSeparateOptionsAreNames() throws Exception {
        Path odd = Files.createDirectory(directory.resolve("a:b,c\\d e"));
        Files.writeString(odd.resolve("odd"), "of the odd one");
        Path upper = directory.resolve("up:per, \\1");
        assertEquals("of the odd one", sh(over(List.of(odd, base)).upper(upper), "cat /odd; echo x > /new"));
        assertEquals("x\n", Files.readString(upper.resolve("new")));
    }
}
