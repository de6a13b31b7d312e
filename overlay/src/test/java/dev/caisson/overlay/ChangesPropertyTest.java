// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.overlay.changes.Change;
import dev.caisson.overlay.merged.Comparison;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** What the upper alone says is what a comparison of the whole merged trees says, on real mounts. */
@NeedsRoot
class ChangesPropertyTest {
    /** How the overlay of a try is mounted. */
    enum Flavour {
        PLAIN(OverlayOptions.defaults()),
        REDIRECTING(OverlayOptions.defaults().redirectDir(OverlayOptions.RedirectDir.ON)),
        METACOPYING(OverlayOptions.defaults().metacopy(OverlayOptions.Metacopy.ON)),
        USER_ATTRIBUTES(OverlayOptions.defaults().attributes(OverlayOptions.Attributes.USER));

        private final OverlayOptions options;

        Flavour(OverlayOptions options) {
            this.options = options;
        }
    }

    @Property(tries = 150)
    void changesAreExact(
            @ForAll long seed,
            @ForAll Flavour flavour,
            @ForAll @IntRange(min = 1, max = 3) int layers,
            @ForAll @IntRange(min = 1, max = 40) int steps)
            throws Exception {
        var before = NoLeaks.snapshot();
        Path directory = Files.createTempDirectory("caisson-test-changes");
        try {
            var lower = RandomTree.layers(directory, flavour.options, seed, layers, steps);
            check(overlay(lower, flavour).withUpper(directory.resolve("upper")), seed, steps);
        } finally {
            RandomTree.delete(directory);
        }
        NoLeaks.assertEqualsSoon(before);
    }

    private static Overlay overlay(List<Path> lower, Flavour flavour) {
        return Overlay.of(lower.toArray(Path[]::new)).withOptions(flavour.options);
    }

    private static void check(Overlay overlay, long seed, int steps) throws IOException {
        SortedMap<String, TreeState> was;
        try (var mount = overlay.mount()) {
            was = TreeState.of(mount.path());
            new RandomTree(mount.path(), ~seed).change(steps);
        }
        try (var mount = overlay.mount();
                var changes = overlay.changes()) {
            var is = TreeState.of(mount.path());
            var list = changes.toList();
            var applied = apply(list, was, is);
            assertEquals(String.join("\n", lines(is)), String.join("\n", lines(applied)), () -> "after " + list);
            for (String path : is.keySet()) {
                var origin = overlay.explain("/" + path);
                assertEquals(
                        is.get(path).type(),
                        Comparison.kind(stat(mount.path(), path)).name(),
                        path);
                assertTrue(origin.kind().isPresent(), () -> path + " is there, but " + origin);
                assertEquals(is.get(path).type(), origin.kind().get().name(), path);
            }
            for (String path : was.keySet()) {
                assertEquals(
                        is.containsKey(path), overlay.explain("/" + path).kind().isPresent(), path);
            }
        }
    }

    private static dev.caisson.linux.sys.FileStatus stat(Path root, String path) throws IOException {
        Path file = root.resolve(path);
        try (var parent = dev.caisson.linux.sys.Directory.open(file.getParent().toString())) {
            return parent.stat(file.getFileName().toString()).orElseThrow();
        }
    }

    static List<String> lines(SortedMap<String, TreeState> tree) {
        return tree.entrySet().stream()
                .map(e -> e.getKey() + " " + e.getValue())
                .toList();
    }

    /** {@return the old tree with the changes made to it; each must be one} */
    static SortedMap<String, TreeState> apply(
            List<Change> changes, SortedMap<String, TreeState> was, SortedMap<String, TreeState> is) {
        var tree = new TreeMap<>(was);
        for (var change : changes) {
            String path = change.path().substring(1);
            switch (change) {
                case Change.Added _ -> {
                    assertFalse(tree.containsKey(path), () -> change + " was there");
                    tree.put(path, is.get(path));
                }
                case Change.Deleted _ -> {
                    assertTrue(tree.containsKey(path), () -> change + " was not there");
                    remove(tree, path);
                }
                case Change.Modified m -> {
                    assertNotEquals(tree.get(path), is.get(path), change::toString);
                    if (m.aspects().contains(Change.Aspect.KIND)) {
                        remove(tree, path);
                    }
                    tree.put(path, is.get(path));
                }
                case Change.LayerChanged c -> throw new AssertionError(c);
                case Change.Renamed r -> {
                    remove(tree, path);
                    String from = r.from().substring(1);
                    assertTrue(was.containsKey(from), change::toString);
                    was.forEach((p, state) -> {
                        if (p.equals(from) || p.startsWith(from + "/")) {
                            tree.put(path + p.substring(from.length()), state);
                        }
                    });
                    assertEquals(
                            r.aspects().isEmpty(),
                            tree.get(path).equals(is.get(path)),
                            () -> change + " was " + was.get(from) + " is " + is.get(path) + "\n" + was + "\n" + is
                                    + "\n" + changes);
                    tree.put(path, is.get(path));
                }
            }
        }
        return tree;
    }

    private static void remove(SortedMap<String, TreeState> tree, String path) {
        tree.keySet().removeIf(p -> p.equals(path) || p.startsWith(path + "/"));
    }
}
