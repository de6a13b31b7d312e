// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(NoLeaks.class)
class LayerStoreTest {
    @TempDir
    Path directory;

    private Path base;
    private LayerStore store;

    @BeforeEach
    void open() throws IOException {
        base = Files.createDirectory(directory.resolve("base"));
        Files.writeString(base.resolve("base"), "base");
        store = LayerStore.open(directory.resolve("store"));
    }

    @AfterEach
    void close() throws IOException {
        store.close();
    }

    private Layer committed(Branch branch, String file) throws IOException {
        try (branch) {
            Files.writeString(branch.upper().resolve(file), file);
            return branch.commit();
        }
    }

    private static long count(Path directory) throws IOException {
        try (var list = Files.list(directory)) {
            return list.count();
        }
    }

    // Branches.

    @Test
    void aBranchBecomesALayerWithoutBeingCopied() throws Exception {
        try (var branch = store.branch(base)) {
            Path file = Files.writeString(branch.upper().resolve("file"), "made");
            Object inode = Files.getAttribute(file, "unix:ino");
            var layer = branch.commit();
            assertEquals(inode, Files.getAttribute(layer.directory().resolve("file"), "unix:ino"));
            assertEquals(List.of(layer.directory(), base), store.stack(layer));
            assertEquals(Optional.of(layer), store.find(layer.id()));
            assertThrows(IllegalStateException.class, branch::commit);
            assertThrows(IllegalStateException.class, branch::reset);
        }
        assertEquals(0, count(directory.resolve("store/branches")));
    }

    @Test
    void branchesShareTheLayersBelow() throws Exception {
        var one = committed(store.branch(base), "one");
        var two = committed(store.branch(one), "two");
        try (var left = store.branch(two);
                var right = store.branch(two)) {
            assertEquals(List.of(two.directory(), one.directory(), base), left.lower());
            assertEquals(left.lower(), right.lower());
            assertNotEquals(left.upper(), right.upper());
        }
    }

    @Test
    void aResetBranchIsEmptyAndLooksLikeTheRootItCovers() throws Exception {
        Files.setAttribute(base, "unix:mode", 0751);
        try (var branch = store.branch(base)) {
            assertEquals(0751, (int) Files.getAttribute(branch.upper(), "unix:mode") & 07777);
            for (int i = 0; i < 3; i++) {
                Files.writeString(branch.upper().resolve("file"), "x");
                Files.createDirectory(branch.work().resolve("work"));
                branch.reset();
                assertEquals(0, count(branch.upper()));
                assertEquals(0, count(branch.work()));
                assertEquals(0751, (int) Files.getAttribute(branch.upper(), "unix:mode") & 07777);
            }
        }
        store.close();
        assertEquals(0, count(directory.resolve("store/trash")));
    }

    @Test
    void aBranchInUseIsNeitherCommittedNorResetNorDiscarded() throws Exception {
        try (var branch = store.branch(base)) {
            var use = branch.use();
            assertThrows(IllegalStateException.class, branch::commit);
            assertThrows(IllegalStateException.class, branch::reset);
            assertThrows(IllegalStateException.class, branch::close);
            assertThrows(IllegalStateException.class, branch::use);
            use.close();
            var another = branch.use();
            use.close();
            assertThrows(IllegalStateException.class, branch::use, "the first one ended long ago");
            another.close();
            branch.reset();
        }
    }

    // What is kept, and what is not.

    @Test
    void onlyWhatNobodyRefersToIsSwept() throws Exception {
        var one = committed(store.branch(base), "one");
        var two = committed(store.branch(one), "two");
        var lonely = committed(store.branch(one), "lonely");
        var leased = committed(store.branch(base), "leased");
        var under = committed(store.branch(base), "under");
        store.reference("app", two);
        assertEquals(2, store.count(one));
        assertEquals(1, store.count(two));
        assertEquals(0, store.count(lonely));
        try (var _ = store.lease(leased);
                var branch = store.branch(under)) {
            assertEquals(1, store.count(leased));
            assertEquals(1, store.count(under));
            assertEquals(List.of(lonely.id()), store.sweep().layers());
            assertTrue(Files.exists(branch.lower().getFirst()));
        }
        assertEquals(
                List.of(leased.id(), under.id()).stream()
                        .map(LayerId::toString)
                        .sorted()
                        .toList(),
                store.sweep().layers().stream().map(LayerId::toString).sorted().toList());
        assertEquals(Optional.of(two), store.referenced("app"));
        store.release("app");
        assertEquals(2, store.sweep().layers().size());
        assertEquals(0, count(directory.resolve("store/layers")));
        assertEquals(0, count(directory.resolve("store/trash")));
        assertThrows(NoSuchFileException.class, () -> store.stack(two));
        assertThrows(NoSuchFileException.class, () -> store.branch(two));
        assertThrows(NoSuchFileException.class, () -> store.reference("app", two));
    }

    @Test
    void whatAKilledProcessHeldIsSwept() throws Exception {
        var java = ProcessHandle.current().info().command().orElseThrow();
        var held = committed(store.branch(base), "held");
        var process = new ProcessBuilder(
                        java,
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Holder.class.getName(),
                        directory.resolve("store").toString(),
                        held.id().toString())
                .redirectErrorStream(true)
                .start();
        try {
            assertEquals('!', process.getInputStream().read(), "the other process started");
            assertEquals(new LayerStore.Swept(List.of(), 0), store.sweep());
        } finally {
            process.destroyForcibly().waitFor();
        }
        assertEquals(new LayerStore.Swept(List.of(held.id()), 1), store.sweep());
        for (String part : List.of("layers", "branches", "leases", "trash")) {
            assertEquals(0, count(directory.resolve("store").resolve(part)), part);
        }
    }

    /** Another process with a branch and a lease. */
    static final class Holder {
        public static void main(String[] arguments) throws Exception {
            var store = LayerStore.open(Path.of(arguments[0]));
            var layer = store.find(LayerId.parse(arguments[1])).orElseThrow();
            var branch = store.branch(layer);
            Files.writeString(branch.upper().resolve("file"), "x");
            var _ = store.lease(layer);
            System.out.print('!');
            System.out.flush();
            Thread.sleep(60_000);
        }
    }

    // Crashes.

    private void forgetBoot(Layer layer) throws IOException {
        Path record = layer.directory().resolveSibling("record");
        Files.writeString(record, Files.readString(record).replaceAll("boot .*", "boot of-last-week"));
    }

    @Test
    void afterAPowerFailureOnlyLayersKnownToBeOnDiskAreLeft() throws Exception {
        var safe = committed(store.branch(base), "safe");
        store.sync();
        var doubtful = committed(store.branch(safe), "doubtful");
        var above = committed(store.branch(doubtful), "above");
        for (var layer : List.of(safe, doubtful, above)) {
            store.reference("keep-" + layer.id().value(), layer);
        }
        forgetBoot(safe);
        forgetBoot(doubtful);
        try (var again = LayerStore.open(directory.resolve("store"))) {
            assertEquals(List.of(safe), again.layers());
            assertEquals("safe", Files.readString(safe.directory().resolve("safe")));
            assertEquals(List.of(), again.sweep().layers());
        }
    }

    @Test
    void aTornRecordIsNoLayer() throws Exception {
        var layer = committed(store.branch(base), "layer");
        Files.writeString(layer.directory().resolveSibling("record"), "parent ");
        try (var again = LayerStore.open(directory.resolve("store"))) {
            assertEquals(List.of(), again.layers());
        }
        assertFalse(Files.exists(layer.directory()));
    }

    // Adding.

    @Test
    void aLayerIsAddedWholeOrNotAtAll() throws Exception {
        var id = LayerId.parse("sha256:abc");
        assertThrows(
                IOException.class,
                () -> store.add(id, Optional.empty(), tree -> {
                    Files.writeString(tree.resolve("half"), "x");
                    throw new IOException("the network is down");
                }));
        assertEquals(Optional.empty(), store.find(id));
        var layer = store.add(id, Optional.empty(), tree -> Files.writeString(tree.resolve("whole"), "x"));
        assertEquals(layer, store.add(id, Optional.empty(), _ -> {
            throw new AssertionError("it is there already");
        }));
        assertEquals(List.of(layer.directory()), store.stack(layer));
        assertEquals(0, count(directory.resolve("store/branches")));
    }

    @Test
    void manyAddTheSameLayerAndGetOne() throws Exception {
        var id = LayerId.parse("sha256:same");
        var layers = ConcurrentHashMap.<Layer>newKeySet();
        var filled = new AtomicInteger();
        var ready = new CountDownLatch(4);
        var threads = java.util.stream.IntStream.range(0, 4)
                .mapToObj(i -> Thread.ofPlatform().start(() -> {
                    try {
                        layers.add(store.add(id, Optional.empty(), tree -> {
                            filled.incrementAndGet();
                            ready.countDown();
                            try {
                                ready.await(1, java.util.concurrent.TimeUnit.SECONDS);
                            } catch (InterruptedException never) {
                                throw new AssertionError(never);
                            }
                            Files.writeString(tree.resolve("f"), "f");
                        }));
                    } catch (IOException failed) {
                        throw new AssertionError(failed);
                    }
                }))
                .toList();
        for (var thread : threads) {
            thread.join();
        }
        assertEquals(1, layers.size());
        assertTrue(filled.get() > 1, "the race took place");
        assertEquals("f", Files.readString(layers.iterator().next().directory().resolve("f")));
        assertEquals(0, count(directory.resolve("store/branches")));
    }

    // Content.

    private Layer made(String text, long time, int mode) throws IOException {
        try (var branch = store.branch(base)) {
            Path file = Files.writeString(branch.upper().resolve("file"), text);
            Files.createSymbolicLink(branch.upper().resolve("link"), Path.of("file"));
            Files.createLink(branch.upper().resolve("same"), file);
            Files.setAttribute(file, "unix:mode", mode);
            for (Path path : List.of(file, branch.upper())) {
                Files.setLastModifiedTime(path, FileTime.fromMillis(time));
            }
            java.nio.file.Files.getFileAttributeView(
                            branch.upper().resolve("link"),
                            java.nio.file.attribute.BasicFileAttributeView.class,
                            java.nio.file.LinkOption.NOFOLLOW_LINKS)
                    .setTimes(FileTime.fromMillis(time), null, null);
            return branch.commit();
        }
    }

    @Test
    void layersOfEqualContentAreOne() throws Exception {
        var first = made("text", 1000, 0644);
        var second = made("text", 1000, 0644);
        var identified = store.identify(first);
        assertEquals("tree", identified.content().kind());
        assertEquals(first, identified.layer());
        assertEquals(identified, store.identify(second));
        assertEquals(Optional.of(first), store.find(identified.content()));
        for (var other : List.of(made("texT", 1000, 0644), made("text", 1001, 0644), made("text", 1000, 0600))) {
            assertNotEquals(identified.content(), store.identify(other).content());
        }
        var lower = store.identify(committed(store.branch(first), "x")).content();
        assertNotEquals(
                lower, store.identify(committed(store.branch(base), "x")).content());
    }

    // Bad input.

    @Test
    void aDirectoryOfSomethingElseIsNoStore() throws Exception {
        Files.createFile(base.resolve("x"));
        var refusal = assertThrows(IOException.class, () -> LayerStore.open(base));
        assertTrue(refusal.getMessage().contains("nor empty"), refusal.getMessage());
        Files.writeString(directory.resolve("store/format"), "caisson layers 2\n");
        refusal = assertThrows(IOException.class, () -> LayerStore.open(directory.resolve("store")));
        assertTrue(refusal.getMessage().contains("layers 2"), refusal.getMessage());
    }

    @Test
    void namesThatCouldLeadElsewhereAreRefused() throws Exception {
        var layer = committed(store.branch(base), "x");
        for (String name : List.of("", "..", ".hidden", "a/b", "a\nb", "x".repeat(201))) {
            assertThrows(IllegalArgumentException.class, () -> store.reference(name, layer), name);
        }
        for (String id : List.of("", "sha256", "sha256:", "sha256:../x", "a b:c", "SHA:x")) {
            assertThrows(IllegalArgumentException.class, () -> LayerId.parse(id), id);
        }
        assertThrows(IllegalArgumentException.class, () -> store.branch());
        assertThrows(IllegalArgumentException.class, () -> store.branch(directory.resolve("none")));
    }
}
