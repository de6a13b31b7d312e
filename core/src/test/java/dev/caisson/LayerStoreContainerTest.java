// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.ByteUnit;
import dev.caisson.overlay.changes.CopyUp;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.spec.Mount;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Containers on branches of a layer store, and what writing to them costs. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class LayerStoreContainerTest {
    @TempDir
    Path directory;

    private Path base;

    @BeforeEach
    void prepare() throws Exception {
        Files.setAttribute(directory, "unix:mode", 0755);
        base = Files.createDirectory(directory.resolve("base"));
        for (String name : List.of("bin", "lib", "lib64")) {
            Files.createSymbolicLink(base.resolve(name), Path.of("usr", name));
        }
        Files.createDirectories(base.resolve("data/deep"));
        Files.writeString(base.resolve("data/file"), "lower");
        try (var file = new RandomAccessFile(base.resolve("data/deep/sparse").toFile(), "rw")) {
            file.write(new byte[100_000]);
            file.setLength(50 << 20);
        }
        Files.createLink(base.resolve("data/other"), base.resolve("data/file"));
    }

    private ContainerBuilder over(ContainerBuilder builder) {
        return builder.bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY);
    }

    private LayerStore store() throws Exception {
        return LayerStore.open(directory.resolve("store"));
    }

    @Test
    void aBuildIsCommittedAndTestsOnItAreReset() throws Exception {
        try (var store = store();
                var build = store.branch(base)) {
            assertEquals("", sh(over(Container.builder().on(build)), "rm /data/file; echo built > /data/result"));
            var built = build.commit("app");
            try (var test = store.branch(built)) {
                var container = over(Container.builder().on(test));
                for (int i = 0; i < 3; i++) {
                    assertEquals(
                            "built\ndeep other result",
                            sh(container, "cat /data/result; echo $(ls /data); rm -r /data"));
                    test.reset();
                }
            }
            assertEquals(List.of(), store.sweep().layers());
            assertEquals("lower", Files.readString(base.resolve("data/file")));
        }
    }

    @Test
    void aBranchBelongsToItsContainerUntilThatIsClosed() throws Exception {
        try (var store = store();
                var branch = store.branch(base)) {
            var builder = over(Container.builder().on(branch));
            try (var container = builder.start("/bin/sh", "-c", "echo x > /data/x")) {
                container.waitFor().orThrow();
                assertThrows(IllegalStateException.class, branch::commit);
                assertThrows(IllegalStateException.class, branch::reset);
                assertThrows(IllegalStateException.class, () -> builder.start("true"));
                var refusal = assertThrows(IllegalStateException.class, () -> container.commit(store, "x"));
                assertTrue(refusal.getMessage().contains("branch"), refusal.getMessage());
                assertEquals("x\n", Files.readString(container.fs().getPath("/data/x")));
            }
            assertThrows(ContainerException.class, () -> builder.run("/no/such/program"));
            var layer = branch.commit("x");
            assertEquals("x\n", Files.readString(layer.directory().resolve("data/x")));
        }
    }

    @Test
    void changesInMemoryBecomeALayer() throws Exception {
        try (var store = store()) {
            try (var container = over(Container.builder().lower(base))
                    .start(
                            "/bin/sh",
                            "-c",
                            "rm -r /data/deep; mkdir /data/deep; echo new > /data/deep/new; ln /data/deep/new /data/same;"
                                    + " chown 12:34 /data/file; chmod 4711 /data/file")) {
                container.waitFor().orThrow();
                var layer = container.commit(store, "memory");
                assertEquals(List.of(layer.directory(), base), store.stack(layer));
            }
            var layer = store.referenced("memory").orElseThrow();
            try (var branch = store.branch(layer)) {
                assertEquals(
                        "new\ndeep file other same\n4711 12 34\n2",
                        sh(
                                over(Container.builder().on(branch)),
                                "ls /data/deep; echo $(ls /data); stat -c '%a %u %g' /data/file; stat -c %h /data/same"));
            }
        }
    }

    @Test
    void aRunningContainerIsNotCommitted() throws Exception {
        try (var store = store();
                var container = over(Container.builder().lower(base)).start("sleep", "100")) {
            var refusal = assertThrows(IllegalStateException.class, () -> container.commit(store, "x"));
            assertTrue(refusal.getMessage().contains("runs"), refusal.getMessage());
        }
    }

    @Test
    void theCostOfAWriteIsKnownBeforeAndGoneAfter() throws Exception {
        try (var container = over(Container.builder().lower(base))
                .start(
                        "/bin/sh",
                        "-c",
                        "read go; echo x >> /data/deep/sparse; mkdir /data/new; echo x > /data/new/f; exec sleep 100")) {
            var cost = container.copyUpCost("/data/deep/sparse");
            assertEquals(1, cost.files());
            assertEquals(50 << 20, cost.bytes());
            assertTrue(cost.allocatedBytes() >= 100_000 && cost.allocatedBytes() < 1 << 20, cost.toString());
            assertEquals(0, cost.sharedBytes(), "between a disk and memory nothing is shared");
            assertEquals(2, cost.directories());
            assertEquals(1, container.copyUpCost("/data/file").otherNames());
            var all = container.copyUpCost("/data");
            assertEquals(3, all.files());
            assertEquals((50 << 20) + 10, all.bytes());
            assertEquals(2, all.directories());
            assertThrows(NoSuchFileException.class, () -> container.copyUpCost("/data/none"));

            try (var stdin = container.stdin()) {
                stdin.write('\n');
            }
            var files = container.fs();
            for (int i = 0; i < 500 && !Files.exists(files.getPath("/data/new/f")); i++) {
                Thread.sleep(10);
            }
            assertEquals(CopyUp.Cost.NONE, container.copyUpCost("/data/deep/sparse"));
            assertEquals(CopyUp.Cost.NONE, container.copyUpCost("/data/new/f"));
            assertEquals(0, container.copyUpCost("/data/file").directories());
        }
    }

    @Test
    void aVolumeIsMadeAndBypassesTheLayers() throws Exception {
        Path volume = directory.resolve("volumes/db");
        var container = over(Container.builder().newUser().lower(base)).volume(volume, "/data");
        assertEquals("0:0", sh(container, "echo kept > /data/row; stat -c %u:%g /data/row"));
        assertEquals("kept", sh(container, "cat /data/row"));
        assertEquals("kept\n", Files.readString(volume.resolve("row")));
        assertTrue((int) Files.getAttribute(volume, "unix:uid") > 0, "it belongs to the container's root");
        try (var running =
                over(Container.builder().lower(base)).volume(volume, "/data").start("sleep", "100")) {
            // Three symbolic links, and nothing of the volume.
            assertEquals(3, running.copyUpCost("/").files());
        }
        Files.writeString(directory.resolve("file"), "");
        var refusal = assertThrows(
                ContainerException.class,
                () -> over(Container.builder().lower(base))
                        .volume(directory.resolve("file"), "/data")
                        .run("true"));
        assertTrue(refusal.getMessage().contains("not a directory"), refusal.getMessage());
    }

    @Test
    void aTmpfsHoldsDataInMemoryAndIsNoCost() throws Exception {
        try (var container = over(Container.builder().lower(base).tmpfs("/data", 1, ByteUnit.MB))
                .start("/bin/sh", "-c", "echo x > /data/x; echo > /ready; exec sleep 100")) {
            for (int i = 0; i < 500 && !Files.exists(container.fs().getPath("/ready")); i++) {
                Thread.sleep(10);
            }
            assertEquals(0, container.copyUpCost("/data").bytes());
        }
        assertFalse(Files.exists(base.resolve("data/x")));
    }
}
