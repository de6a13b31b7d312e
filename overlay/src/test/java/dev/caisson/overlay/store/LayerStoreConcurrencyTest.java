// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several users of one store at a time, each with a store object of its own, as several processes have. */
class LayerStoreConcurrencyTest {
    private static final long NANOS = TimeUnit.SECONDS.toNanos(3);

    @TempDir
    Path directory;

    private Path base;

    @BeforeEach
    void makeBase() throws IOException {
        base = Files.createDirectory(directory.resolve("base"));
    }

    private LayerStore open() throws IOException {
        return LayerStore.open(directory.resolve("store"));
    }

    /** What is done again and again until the time is over; throws if it fails. */
    private interface Work {
        void once(LayerStore store, int time) throws Exception;
    }

    private int allAtOnce(List<Work> works) throws Exception {
        long end = System.nanoTime() + NANOS;
        int times = 0;
        try (var threads = Executors.newCachedThreadPool()) {
            var running = new ArrayList<Future<Integer>>();
            for (var work : works) {
                Callable<Integer> loop = () -> {
                    int time = 0;
                    try (var store = open()) {
                        for (; System.nanoTime() < end; time++) {
                            work.once(store, time);
                        }
                    }
                    return time;
                };
                running.add(threads.submit(loop));
            }
            for (var one : running) {
                times += one.get(60, TimeUnit.SECONDS);
            }
        }
        return times;
    }

    @Test
    void aCommitUnderANameIsLostToNoSweep() throws Exception {
        Work sweeping = (store, _) -> {
            var _ = store.sweep();
        };
        Work committing = (store, time) -> {
            String name = Thread.currentThread().threadId() + "-" + time;
            try (var branch = store.branch(base)) {
                var layer = branch.commit(name);
                assertEquals(layer.id(), store.referenced(name).orElseThrow().id());
                assertTrue(Files.isDirectory(layer.directory()));
            }
            store.release(name);
        };
        int times = allAtOnce(List.of(sweeping, sweeping, committing, committing));
        assertTrue(times > 4, times + " times");
    }

    @Test
    void whatOthersReleaseMeanwhileIsNoError() throws Exception {
        Layer layer;
        try (var store = open();
                var branch = store.branch(base)) {
            layer = branch.commit("kept");
        }
        Work releasing = (store, time) -> {
            String name = Thread.currentThread().threadId() + "-" + time;
            store.reference(name, layer);
            try (var lease = store.lease(layer);
                    var branch = store.branch(base)) {
                assertTrue(lease != null && branch != null);
            }
            store.release(name);
        };
        Work looking = (store, _) -> {
            assertTrue(store.references().containsKey("kept"));
            assertTrue(store.count(layer) >= 1);
            assertTrue(store.sweep().layers().isEmpty());
        };
        int times = allAtOnce(List.of(releasing, releasing, looking, looking));
        assertTrue(times > 4, times + " times");
    }

    @Test
    void aLeaseIsSeenWholeOrNotAtAll() throws Exception {
        Layer layer;
        try (var store = open();
                var branch = store.branch(base)) {
            layer = branch.commit("kept");
        }
        Work leasing = (store, _) -> store.lease(layer).close();
        Work counting = (store, _) -> assertTrue(store.count(layer) >= 1);
        int times = allAtOnce(List.of(leasing, leasing, leasing, counting, counting, counting));
        assertTrue(times > 4, times + " times");
    }

    @Test
    void whatAKilledWriterLeftIsSweptAndIsNoName() throws Exception {
        try (var store = open();
                var branch = store.branch(base)) {
            var layer = branch.commit("kept");
            Path left = directory.resolve("store/references/1234.next");
            Path record = layer.directory().resolveSibling("1234.next");
            Files.writeString(left, "half");
            Files.writeString(record, "half");
            assertEquals(List.of("kept"), List.copyOf(store.references().keySet()));
            assertThrows(IllegalArgumentException.class, () -> store.reference("any.next", layer));
            var _ = store.sweep();
            assertTrue(Files.notExists(left));
            assertTrue(Files.notExists(record));
            assertEquals(layer.id(), store.referenced("kept").orElseThrow().id());
        }
    }
}
