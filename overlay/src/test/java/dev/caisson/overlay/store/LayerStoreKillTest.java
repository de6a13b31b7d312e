// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A process that does everything to a store, and is killed at whichever moment. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class LayerStoreKillTest {
    private static final int KILLS = 12;
    private static final int FILES = 20;

    @TempDir
    Path temporary;

    @Test
    void whateverItDidTheStoreIsWhole() throws Exception {
        Path base = Files.createDirectory(temporary.resolve("base"));
        Path directory = temporary.resolve("store");
        LayerStore.open(directory).close();
        var random = new Random(7);
        int layersSeen = 0;
        for (int i = 0; i < KILLS; i++) {
            var process = new ProcessBuilder(
                            ProcessHandle.current().info().command().orElseThrow(),
                            "-XX:TieredStopAtLevel=1",
                            "--enable-native-access=ALL-UNNAMED",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Busy.class.getName(),
                            directory.toString(),
                            base.toString())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            try {
                assertEquals('!', process.getInputStream().read(), "it started");
                process.waitFor(random.nextInt(400_000), TimeUnit.MICROSECONDS);
            } finally {
                process.destroyForcibly().waitFor();
            }
            try (var store = LayerStore.open(directory)) {
                for (Layer layer : store.layers()) {
                    assertWhole(store, layer);
                    layersSeen++;
                }
                for (var name : store.references().keySet()) {
                    assertTrue(store.referenced(name).isPresent(), name);
                }
                store.sweep();
                for (Layer layer : store.layers()) {
                    assertWhole(store, layer);
                    assertTrue(store.count(layer) > 0, () -> "nobody needs " + layer);
                }
            }
            for (String part : List.of("branches", "leases", "trash")) {
                assertEquals(List.of(), names(directory.resolve(part)), part);
            }
        }
        assertTrue(layersSeen > KILLS, "it did something");
    }

    private static void assertWhole(LayerStore store, Layer layer) throws IOException {
        assertEquals(FILES, names(layer.directory()).size(), layer::toString);
        for (Path below : store.stack(layer)) {
            assertTrue(Files.isDirectory(below), below::toString);
        }
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> list = Files.list(directory)) {
            return list.map(p -> p.getFileName().toString()).toList();
        }
    }

    /** Adds, branches, commits, names, releases, resets, leases and sweeps, without end. */
    static final class Busy {
        private Busy() {}

        public static void main(String[] arguments) throws Exception {
            var random = new Random();
            var store = LayerStore.open(Path.of(arguments[0]));
            System.out.print('!');
            System.out.flush();
            Optional<Layer> last = Optional.empty();
            while (true) {
                try (var branch = last.isPresent() ? store.branch(last.get()) : store.branch(Path.of(arguments[1]))) {
                    fill(branch.upper());
                    branch.reset();
                    fill(branch.upper());
                    Layer layer = branch.commit("name" + random.nextInt(5));
                    try (var _ = store.lease(layer)) {
                        store.release("name" + random.nextInt(5));
                        var id = new LayerId("test", UUID.randomUUID().toString());
                        last = Optional.of(store.add(id, Optional.of(layer), Busy::fill));
                        store.reference("added", last.get());
                    }
                    store.identify(layer);
                    if (random.nextInt(4) == 0) {
                        store.sync();
                        store.sweep();
                    }
                }
                if (store.stack(last.get()).size() > 8) {
                    last = Optional.empty();
                }
            }
        }

        private static void fill(Path tree) throws IOException {
            for (int i = 0; i < FILES; i++) {
                Files.writeString(tree.resolve("file" + i), "of " + tree);
            }
        }
    }
}
