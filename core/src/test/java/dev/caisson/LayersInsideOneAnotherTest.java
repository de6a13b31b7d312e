// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.overlay.changes.Change;
import dev.caisson.overlay.store.Branch;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Layers of which one lies inside another: overlayfs refuses them (ELOOP) unless the lower ones are merged first. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class LayersInsideOneAnotherTest {
    private static final Path HOST = Path.of("/");

    @TempDir
    Path directory;

    private Path layer;

    @BeforeEach
    void makeLayer() throws IOException {
        layer = Files.createDirectories(directory.resolve("layer"));
        Files.createDirectories(layer.resolve("etc"));
        Files.writeString(layer.resolve("etc/of-the-layer"), "layer");
    }

    @Test
    void aDirectoryLiesOverTheHostsRootThatHoldsIt() throws Exception {
        var container = Container.builder().lower(layer, HOST);
        assertEquals("layer\nroot", sh(container, "cat /etc/of-the-layer; echo; head -c 4 /etc/passwd"));
        assertTrue(container.explain("true").toString().contains("lowest layers"));
    }

    @Test
    void theHostsRootLiesOverADirectoryInsideIt() throws Exception {
        assertEquals("layer", sh(Container.builder().lower(HOST, layer), "cat /etc/of-the-layer"));
    }

    @Test
    void aSandboxHasThemToo() throws Exception {
        var container = Container.sandbox().lower(layer, HOST);
        assertEquals(
                "layer\nroot\nmine",
                sh(
                        container,
                        "cat /etc/of-the-layer; echo; head -c 4 /etc/passwd; echo; echo mine > /mine; cat /mine"));
    }

    @Test
    void whatTheUpperLayerDeletedStaysDeleted() throws Exception {
        Path below = Files.createDirectories(directory.resolve("below/etc")).getParent();
        Files.writeString(below.resolve("etc/gone"), "below");
        try (var store = LayerStore.open(directory.resolve("below/store"));
                var one = store.branch(below)) {
            run(one, "/etc/gone");
            var layer = one.commit("one");
            try (var two = store.branch(layer);
                    var container = over(two).start("/bin/sh", "-c", "ls /etc; echo x > /etc/new")) {
                assertEquals("", new String(container.stdout().readAllBytes()).strip());
                container.waitFor().orThrow();
                try (var changes = container.changes()) {
                    assertEquals(
                            List.of("/etc/new"),
                            changes.filter(Change.Added.class::isInstance)
                                    .map(Change::path)
                                    .filter(path -> path.startsWith("/etc"))
                                    .toList());
                }
            }
        }
    }

    private static ContainerBuilder over(Branch branch) {
        var container = Container.builder().on(branch);
        for (String name : List.of("/bin", "/lib", "/lib64", "/usr")) {
            if (Files.exists(Path.of(name))) {
                container = container.bind(Path.of(name), name);
            }
        }
        return container;
    }

    private static void run(Branch branch, String deleted) throws Exception {
        over(branch).run("/bin/rm", deleted).orThrow();
    }

    @Test
    void aStoreInsideTheHostsRootHasBranchesOnBranchesOfIt() throws Exception {
        try (var store = LayerStore.open(directory.resolve("store"));
                var one = store.branch(HOST)) {
            sh(Container.builder().on(one), "echo one > /etc/one");
            var layer = one.commit("one");
            try (var two = store.branch(layer)) {
                assertEquals("one", sh(Container.builder().on(two), "cat /etc/one; rm /etc/one; echo two > /etc/two"));
                var above = two.commit("two");
                try (var three = store.branch(above)) {
                    assertEquals(
                            "two", sh(Container.builder().on(three), "cat /etc/one /etc/two 2> /dev/null || true"));
                }
            }
        }
    }

    @Test
    void threeInsideOneAnotherAreRefusedBeforeAnythingIsMade() throws Exception {
        Path middle = Files.createDirectories(directory.resolve("a/b"));
        Path inner = Files.createDirectories(middle.resolve("c"));
        var container = Container.builder().lower(inner, middle, middle.getParent());
        var refusal = assertThrows(IllegalStateException.class, () -> container.run("true"));
        assertTrue(refusal.getMessage().contains("copy one of them"), refusal.getMessage());
        assertTrue(refusal.getMessage().contains(middle.toString()), refusal.getMessage());
    }

    @Test
    void anOrdinaryUserHasThemBelowTheRootAndIsRefusedTheRootBeforeAnythingIsMade() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path outer = Files.createDirectories(directory.resolve("outer"));
        for (String name : List.of("usr", "proc", "dev", "sys")) {
            Files.createDirectory(outer.resolve(name));
        }
        for (String name : List.of("bin", "lib", "lib64")) {
            Files.createSymbolicLink(outer.resolve(name), Path.of("usr", name));
        }
        Path inner = Files.createDirectories(outer.resolve("inner/etc")).getParent();
        Files.writeString(inner.resolve("etc/mine"), "inner");
        var jvm = JavaAs.user(1234, 1234, directory).run(Jvm.class.getName(), inner.toString(), outer.toString());
        assertEquals(0, jvm.code(), jvm.output());
        assertTrue(jvm.output().contains("nested: inner"), jvm.output());
        assertTrue(jvm.output().contains("sandbox: inner"), jvm.output());
        assertTrue(jvm.output().contains("root: lower(\"/\") with other layers"), jvm.output());
        assertFalse(jvm.output().contains("ELOOP"), jvm.output());
    }

    /** What an ordinary user does. */
    static final class Jvm {
        public static void main(String[] args) throws Exception {
            var layers = List.of(Path.of(args[0]), Path.of(args[1]));
            var builder = Container.builder().lower(layers).bind(Path.of("/usr"), "/usr");
            System.out.println("nested: " + sh(builder, "cat /etc/mine"));
            var sandbox = Container.sandbox().lower(layers).bind(Path.of("/usr"), "/usr");
            System.out.println("sandbox: " + sh(sandbox, "cat /etc/mine"));
            try {
                var _ = Container.builder().lower(Path.of(args[0]), HOST).run("true");
            } catch (IllegalStateException refused) {
                System.out.println("root: " + refused.getMessage());
            }
        }
    }
}
