// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.caisson.overlay.changes.Change;
import dev.caisson.overlay.fallback.FuseLimits;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.SortedMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** A fallback shows what the kernel's overlay shows; its changes are exact, and make a layer that shows the same again. */
@NeedsRoot
class FallbackPropertyTest {
    /** A fallback, and marks in the layers that it understands. */
    enum Way {
        FUSE(OverlayOptions.defaults()),
        COPY(OverlayOptions.defaults()),
        COPY_OF_REDIRECTS(OverlayOptions.defaults().redirectDir(OverlayOptions.RedirectDir.ON)),
        COPY_OF_METACOPIES(OverlayOptions.defaults().metacopy(OverlayOptions.Metacopy.ON));

        private final OverlayOptions options;

        Way(OverlayOptions options) {
            this.options = options;
        }
    }

    @Property(tries = 60)
    void fallbacksShowWhatTheKernelShows(
            @ForAll long seed,
            @ForAll Way way,
            @ForAll @IntRange(min = 1, max = 3) int layers,
            @ForAll @IntRange(min = 1, max = 30) int steps)
            throws Exception {
        if (way == Way.FUSE) {
            Need.FUSE_OVERLAYFS.orSkip();
        }
        var before = NoLeaks.snapshot();
        Path directory = Files.createTempDirectory("caisson-test-fallback");
        try {
            var lower = RandomTree.layers(directory, way.options, seed, layers, steps);
            // What it shows otherwise than the kernel it is passed over for.
            if (way != Way.FUSE || FuseLimits.of(lower).isEmpty()) {
                check(overlay(lower, way), way, directory, seed, steps);
            }
        } finally {
            RandomTree.delete(directory);
        }
        NoLeaks.assertEqualsSoon(before);
    }

    private static Overlay overlay(List<Path> lower, Way way) {
        return Overlay.of(lower.toArray(Path[]::new)).withOptions(way.options);
    }

    private static void check(Overlay overlay, Way way, Path directory, long seed, int steps) throws IOException {
        SortedMap<String, TreeState> was;
        try (var kernels = overlay.mountReadOnly()) {
            was = TreeState.of(kernels.path());
        }
        Path copies = Files.createDirectory(directory.resolve("copies"));
        Path layer;
        var plain = overlay.withOptions(OverlayOptions.defaults())
                .withFallbacks(
                        way == Way.FUSE ? new OverlayFallback.FuseOverlayfs() : new OverlayFallback.Copy(copies));
        SortedMap<String, TreeState> is;
        try (var mount = OverlayMount.byFallback(plain, new IOException("refused"), OptionalLong.empty())) {
            assertEquals(lines(was), lines(TreeState.of(mount.path())));
            is = changed(mount.path(), way, ~seed, steps);
            List<Change> list;
            try (var changes = mount.changes()) {
                list = changes.toList();
            }
            assertEquals(lines(is), lines(ChangesPropertyTest.apply(list, was, is)), () -> "after " + list);
            try (var store = LayerStore.open(directory.resolve("store"))) {
                layer = mount.commit(store, "changes").directory();
            }
        }
        var layers = new ArrayList<>(overlay.lower());
        layers.add(0, layer);
        try (var again = overlay(layers, way).mountReadOnly()) {
            assertEquals(lines(is), lines(TreeState.of(again.path())));
        }
    }

    /**
     * fuse-overlayfs(1) 1.10 loses track of its directories in one such workload of fifty, and then refuses what the kernel
     * does, loudly: an error of that program, after which there is nothing of ours to compare.
     */
    private static SortedMap<String, TreeState> changed(Path root, Way way, long seed, int steps) throws IOException {
        try {
            new RandomTree(root, seed).change(steps);
            return TreeState.of(root);
        } catch (IOException | UncheckedIOException refused) {
            if (way != Way.FUSE) {
                throw refused;
            }
            Need.doesNotApply("seed " + seed + ", " + steps + " steps: fuse-overlayfs refused " + refused);
            throw refused;
        }
    }

    private static String lines(SortedMap<String, TreeState> tree) {
        return String.join("\n", ChangesPropertyTest.lines(tree));
    }
}
