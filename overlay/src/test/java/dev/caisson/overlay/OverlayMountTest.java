// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Feature;
import dev.caisson.linux.sys.Kernel;
import dev.caisson.overlay.changes.Change;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@NeedsRoot
@ExtendWith(NoLeaks.class)
class OverlayMountTest {
    @TempDir
    Path temporary;

    /** This kernel, and as if it were older and older. */
    static Stream<Kernel> kernels() {
        var kernel = Kernel.ofThisMachine();
        var older = kernel.without(Feature.OVERLAY_LAYER_DESCRIPTORS);
        return Stream.of(kernel, older, older.without(Feature.OVERLAY_LOWERDIR_APPEND));
    }

    private Path layer(String name, String... files) throws IOException {
        Path layer = Files.createDirectories(temporary.resolve(name));
        for (String file : files) {
            Path path = layer.resolve(file);
            Files.createDirectories(path.getParent());
            Files.writeString(path, name);
        }
        return layer;
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void fiveHundredLayersAreMerged(Kernel kernel) throws Exception {
        var layers = new ArrayList<Path>();
        for (int i = 0; i < 500; i++) {
            layers.add(layer("layer" + i, "of" + i, "everybodys"));
        }
        try (var mount = new Overlay(layers, Optional.empty(), OptionalLong.empty()).mount(kernel)) {
            assertEquals("layer0", Files.readString(mount.path().resolve("everybodys")));
            assertEquals("layer499", Files.readString(mount.path().resolve("of499")));
            try (var list = Files.list(mount.path())) {
                assertEquals(501, list.count());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void awkwardNamesAreNames(Kernel kernel) throws Exception {
        Path odd = layer("a:b,c\\d e\nf", "odd");
        Path longest = layer("x".repeat(200) + "/" + "y".repeat(200), "long");
        var overlay = Overlay.of(odd, longest).withUpper(temporary.resolve("up:per, \\1"));
        try (var mount = overlay.mount(kernel)) {
            assertTrue(Files.exists(mount.path().resolve("odd")));
            assertTrue(Files.exists(mount.path().resolve("long")));
            Files.writeString(mount.path().resolve("new"), "");
        }
        assertTrue(Files.exists(temporary.resolve("up:per, \\1/new")));
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void writesInMemoryAreGoneWithTheMount(Kernel kernel) throws Exception {
        Path lower = layer("lower", "file");
        try (var mount = Overlay.of(lower).mount(kernel)) {
            Files.writeString(mount.path().resolve("file"), "changed");
            assertEquals(
                    "changed",
                    Files.readString(
                            mount.overlay().upper().orElseThrow().directory().resolve("file")));
        }
        assertEquals("lower", Files.readString(lower.resolve("file")));
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void anUpperInMemoryHasItsSize(Kernel kernel) throws Exception {
        try (var mount = Overlay.of(layer("lower")).withSize(1 << 20).mount(kernel)) {
            var failure = assertThrows(
                    IOException.class, () -> Files.write(mount.path().resolve("big"), new byte[2 << 20]));
            assertTrue(failure.getMessage().contains("No space"), failure.getMessage());
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void aViewCannotBeWritten(Kernel kernel) throws Exception {
        for (var overlay : List.of(Overlay.of(layer("a", "x")), Overlay.of(layer("a", "x"), layer("b", "y")))) {
            try (var view = overlay.mountReadOnly(kernel)) {
                assertTrue(Files.exists(view.path().resolve("x")));
                var failure = assertThrows(
                        IOException.class, () -> Files.writeString(view.path().resolve("z"), ""));
                assertTrue(failure.getMessage().contains("Read-only"), failure.getMessage());
            }
        }
    }

    @Test
    void anUpperKeepsWritesAndItsWorkDirectoryIsMade() throws Exception {
        var overlay = Overlay.of(layer("lower")).withUpper(temporary.resolve("upper"));
        try (var mount = overlay.mount()) {
            Files.writeString(mount.path().resolve("new"), "kept");
        }
        try (var mount = overlay.mount()) {
            assertEquals("kept", Files.readString(mount.path().resolve("new")));
        }
        assertTrue(Files.isDirectory(temporary.resolve("upper.work")));
    }

    @Test
    void renamingADirectoryOfALowerLayerTakesRedirects() throws Exception {
        Path lower = layer("lower", "d/x");
        var strict =
                Overlay.of(lower).withOptions(OverlayOptions.defaults().redirectDir(OverlayOptions.RedirectDir.OFF));
        try (var mount = strict.mount()) {
            var failure = assertThrows(
                    IOException.class,
                    () -> Files.move(
                            mount.path().resolve("d"),
                            mount.path().resolve("e"),
                            java.nio.file.StandardCopyOption.ATOMIC_MOVE));
            assertTrue(failure.getMessage().contains("cross-device"), failure.getMessage());
        }
        var redirecting = strict.withOptions(OverlayOptions.defaults().redirectDir(OverlayOptions.RedirectDir.ON));
        try (var mount = redirecting.mount()) {
            Files.move(
                    mount.path().resolve("d"), mount.path().resolve("e"), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
            assertEquals("lower", Files.readString(mount.path().resolve("e/x")));
        }
    }

    @Test
    void anOverlayIsALayerOfAnotherButNotOfAThird() throws Exception {
        try (var one = Overlay.of(layer("a", "x")).mount();
                var two = Overlay.of(one.path()).mount()) {
            assertTrue(Files.exists(two.path().resolve("x")));
            var failure = refused(Overlay.of(two.path()));
            assertTrue(failure.getMessage().contains("stack"), failure.getMessage());
            assertTrue(failure.getMessage().contains("two deep"), failure.getMessage());
        }
    }

    @Test
    void anOverlayCannotBeAnUpper() throws Exception {
        try (var one = Overlay.of(layer("a", "x")).mount()) {
            Files.createDirectory(one.path().resolve("upper"));
            var failure = refused(Overlay.of(layer("b")).withUpper(one.path().resolve("upper")));
            assertTrue(failure.getMessage().contains("itself on an overlay"), failure.getMessage());
            assertTrue(failure.getMessage().contains("the kernel says"), failure.getMessage());
        }
    }

    private static IOException refused(Overlay overlay) {
        return assertThrows(IOException.class, () -> overlay.mount().close());
    }

    @Test
    void aMissingLayerIsNamed() throws Exception {
        var failure = refused(Overlay.of(layer("a"), temporary.resolve("none")));
        assertTrue(failure.getMessage().contains(temporary.resolve("none") + " does not exist"), failure.getMessage());
    }

    @Test
    void aLayerThatIsAFileIsNamed() throws Exception {
        layer("a", "file");
        var failure = refused(Overlay.of(temporary.resolve("a/file")));
        assertTrue(failure.getMessage().contains("is not a directory"), failure.getMessage());
    }

    @Test
    void overlappingLayersAreNamed() throws Exception {
        layer("a", "b/c/d");
        var failure = refused(Overlay.of(temporary.resolve("a/b/c"), temporary.resolve("a/b"), temporary.resolve("a")));
        assertTrue(failure.getMessage().contains("lies inside another"), failure.getMessage());
        Files.createSymbolicLink(temporary.resolve("link"), temporary.resolve("a"));
        failure = refused(Overlay.of(temporary.resolve("a"), temporary.resolve("link")));
        assertTrue(failure.getMessage().contains("are one directory"), failure.getMessage());
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void layersInsideOneAnotherAreMergedFromBelow(Kernel kernel) throws Exception {
        Path outer = layer("outer", "x", "both", "inner/y", "inner/both");
        Path other = layer("other", "z");
        Path inner = Files.createSymbolicLink(temporary.resolve("link"), outer.resolve("inner"));
        for (var order : List.of(List.of(inner, other, outer), List.of(outer, inner, other))) {
            boolean innerFirst = order.getFirst().equals(inner);
            var overlay = Overlay.of(order.toArray(Path[]::new));
            for (var mount : List.of(
                    overlay.mount(kernel),
                    overlay.withUpper(temporary.resolve("upper of " + innerFirst))
                            .mount(kernel),
                    overlay.mountReadOnly(kernel))) {
                try (mount) {
                    for (String name : List.of("x", "y", "z", "inner/y")) {
                        assertTrue(Files.exists(mount.path().resolve(name)), name);
                    }
                    assertEquals("outer", Files.readString(mount.path().resolve("both")));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void whatALayerInsideAnotherHidesStaysHidden(Kernel kernel) throws Exception {
        Path outer = layer("outer", "gone", "d/gone", "kept");
        var upper = outer.resolve("inside/upper");
        Files.createDirectories(upper.getParent());
        try (var mount = Overlay.of(outer).withUpper(upper).mount(kernel)) {
            Files.delete(mount.path().resolve("gone"));
            Files.delete(mount.path().resolve("d/gone"));
            Files.delete(mount.path().resolve("d"));
            Files.createDirectory(mount.path().resolve("d"));
        }
        try (var mount = Overlay.of(upper, outer).mount(kernel)) {
            assertFalse(Files.exists(mount.path().resolve("gone")));
            assertFalse(Files.exists(mount.path().resolve("d/gone")));
            assertTrue(Files.exists(mount.path().resolve("d")));
            assertEquals("outer", Files.readString(mount.path().resolve("kept")));
            Files.writeString(mount.path().resolve("new"), "");
            try (var changes = mount.changes()) {
                assertEquals(List.of("/new"), changes.map(Change::path).toList());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void theRootOfTheHostIsALayer(Kernel kernel) throws Exception {
        Path layer = layer("layer", "etc/of-the-layer");
        for (var overlay : List.of(Overlay.of(layer, Path.of("/")), Overlay.of(Path.of("/"), layer))) {
            try (var mount = overlay.mount(kernel)) {
                assertTrue(Files.exists(mount.path().resolve("etc/of-the-layer")));
                assertTrue(Files.exists(mount.path().resolve("etc/passwd")));
            }
        }
    }

    @Test
    void aLayerInsideTheUpperIsRefusedAtOnce() {
        assertThrows(
                IllegalArgumentException.class,
                () -> Overlay.of(temporary.resolve("upper/layer")).withUpper(temporary.resolve("upper")));
        assertThrows(
                IllegalArgumentException.class,
                () -> new Overlay.Upper(temporary.resolve("upper"), temporary.resolve("upper/work")));
    }

    @Test
    void aWorkDirectoryElsewhereIsNamedAndNothingIsLeft() throws Exception {
        Path elsewhere =
                Path.of("/dev/shm/caisson-test-" + ProcessHandle.current().pid());
        var overlay = Overlay.of(layer("a")).withUpper(new Overlay.Upper(temporary.resolve("upper"), elsewhere));
        var failure = refused(overlay);
        assertTrue(failure.getMessage().contains("different file systems"), failure.getMessage());
        assertFalse(Files.exists(elsewhere));
        assertFalse(Files.exists(temporary.resolve("upper")));
    }

    @Test
    void aSymbolicLinkLoopIsAMissingLayer() throws Exception {
        Files.createSymbolicLink(temporary.resolve("loop"), temporary.resolve("loop"));
        var failure = refused(Overlay.of(temporary.resolve("loop")));
        assertTrue(failure.getMessage().contains("ELOOP"), failure.getMessage());
    }

    @Test
    void aFileThatGotAFurtherNameWithoutItsContentIsNotRenamed() throws Exception {
        for (String further : List.of("above", "zero")) {
            Path lower = layer("of " + further);
            Files.writeString(lower.resolve("middle"), "content");
            var overlay = Overlay.of(lower)
                    .withUpper(temporary.resolve("upper " + further))
                    .withOptions(OverlayOptions.defaults().metacopy(OverlayOptions.Metacopy.ON));
            try (var mount = overlay.mount()) {
                Files.setPosixFilePermissions(
                        mount.path().resolve("middle"), PosixFilePermissions.fromString("rw-------"));
                Files.createLink(mount.path().resolve(further), mount.path().resolve("middle"));
            }
            try (var changes = overlay.changes()) {
                var said = changes.toList();
                assertEquals(2, said.size(), said::toString);
                for (var change : said) {
                    boolean first = change == said.getFirst();
                    var link = first
                            ? Optional.<String>empty()
                            : Optional.of(said.getFirst().path());
                    if (change.path().equals("/middle")) {
                        var aspects = Set.of(Change.Aspect.PERMISSIONS);
                        assertEquals(new Change.Modified("/middle", Change.Kind.FILE, aspects, link), change);
                    } else {
                        assertEquals(new Change.Added("/" + further, Change.Kind.FILE, link), change);
                    }
                }
            }
        }
    }

    @Test
    void anUnsyncedUpperIsNotUsedAgain() throws Exception {
        var overlay = Overlay.of(layer("a"))
                .withUpper(temporary.resolve("upper"))
                .withOptions(OverlayOptions.defaults().durability(OverlayOptions.Durability.VOLATILE));
        overlay.mount().close();
        var failure = refused(overlay);
        assertTrue(failure.getMessage().contains("without syncs"), failure.getMessage());
    }

    @Test
    void optionsThatDoNotGoTogetherAreRefusedAtOnce() {
        var defaults = OverlayOptions.defaults();
        var copies = defaults.metacopy(OverlayOptions.Metacopy.ON);
        assertThrows(IllegalArgumentException.class, () -> copies.attributes(OverlayOptions.Attributes.USER));
        assertThrows(IllegalArgumentException.class, () -> copies.redirectDir(OverlayOptions.RedirectDir.OFF));
        assertThrows(IllegalArgumentException.class, () -> defaults.verity(OverlayOptions.Verity.REQUIRE));
    }
}
