// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.spec.Limits;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Mount;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Files of containers as they were at a moment, while they run. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class SnapshotTest {
    private static final int SOMEBODY = 64326;

    /** Changes of every kind; what it says is what a container over them says. */
    private static final String CHANGE = "rm -r /data/deep; mkdir /data/deep; echo new > /data/deep/new;"
            + " ln /data/deep/new /data/same; rm /data/gone; echo more >> /data/file; chmod 4711 /data/file";

    private static final String TELL = "ls -lR --time-style=+ /data | tr -s ' '; cat /data/file /data/deep/*";

    @TempDir
    Path directory;

    private Path base;

    @BeforeEach
    void prepare() throws Exception {
        Files.setAttribute(directory, "unix:mode", 0755);
        base = base(directory);
    }

    private static Path base(Path directory) throws IOException {
        Path base = Files.createDirectory(directory.resolve("base"));
        for (String name : List.of("bin", "lib", "lib64")) {
            Files.createSymbolicLink(base.resolve(name), Path.of("usr", name));
        }
        Files.createDirectories(base.resolve("data/deep"));
        Files.writeString(base.resolve("data/deep/old"), "old");
        Files.writeString(base.resolve("data/file"), "lower\n");
        Files.writeString(base.resolve("data/gone"), "lower");
        return base;
    }

    private static ContainerBuilder over(ContainerBuilder builder) {
        return builder.bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY);
    }

    private LayerStore store() throws Exception {
        return LayerStore.open(directory.resolve("store"));
    }

    /** {@return a container that does what it is told line by line} */
    private static Container shell(ContainerBuilder builder) throws Exception {
        return over(builder).limits(Limits.none()).start("/bin/sh");
    }

    private static void tell(Container shell, String script) throws IOException {
        shell.stdin().write((script + "; echo .\n").getBytes(StandardCharsets.UTF_8));
        int c;
        while ((c = shell.stdout().read()) != '.') {
            assertTrue(c >= 0, script);
        }
    }

    @Test
    void whatIsTriedIsRolledBackOnItsBranch() throws Exception {
        try (var store = store();
                var branch = store.branch(base)) {
            var builder = Container.builder().on(branch);
            String before;
            dev.caisson.overlay.store.Layer snapshot;
            try (var shell = shell(builder)) {
                tell(shell, CHANGE);
                snapshot = shell.snapshot(store, "before");
                tell(shell, "rm -r /data; echo bad > /worse");
                assertTrue(shell.isAlive());
                assertThrows(IllegalStateException.class, () -> branch.restore(snapshot(store)));
            }
            for (int i = 0; i < 2; i++) {
                branch.restore(snapshot);
                before = sh(over(builder), TELL);
                assertTrue(before.contains("lower\nmore\nnew"), before);
                assertFalse(before.contains("gone") || before.contains("old"), before);
                assertEquals("", sh(over(builder), "rm -r /data; test ! -e /worse"));
            }
            assertEquals(List.of(snapshot.directory(), base), store.stack(snapshot));
        }
    }

    private static dev.caisson.overlay.store.Layer snapshot(LayerStore store) throws IOException {
        return store.referenced("before").orElseThrow();
    }

    @Test
    void aSnapshotOfMemoryIsALayerForOthers() throws Exception {
        for (var builder : List.of(
                Container.builder().lower(base),
                Container.builder().lower(base).newUser(IdMap.range(0, 300_000, 65_536)))) {
            try (var store = LayerStore.open(directory.resolve("store" + builder.hashCode()));
                    var shell = shell(builder)) {
                tell(shell, CHANGE);
                var snapshot = shell.snapshot(store, "one");
                tell(shell, "rm -r /data");
                String seen = sh(over(builder.lower(store.stack(snapshot))), TELL);
                assertTrue(seen.contains("lower\nmore\nnew"), seen);
                assertTrue(seen.contains("-rws--x--x 1 0 0") || seen.contains("-rws--x--x 1 root root"), seen);
                try (var branch = store.branch(snapshot)) {
                    assertEquals(seen, sh(over(builder.on(branch)), TELL));
                }
                // Several of one container.
                var second = shell.snapshot(store, "two");
                assertEquals("", sh(over(builder.lower(store.stack(second))), "test ! -e /data"));
            }
        }
    }

    @Test
    void aPlainDirectoryHoldsASnapshotToo() throws Exception {
        Path upper = directory.resolve("upper");
        Path kept = directory.resolve("kept");
        var builder = Container.builder().lower(base).upper(upper);
        try (var shell = shell(builder)) {
            tell(shell, CHANGE);
            shell.snapshot(kept);
            tell(shell, "rm -r /data");
            assertThrows(FileAlreadyExistsException.class, () -> shell.snapshot(kept));
            assertThrows(IOException.class, () -> shell.snapshot(directory.resolve("no/such/place")));
        }
        String seen = sh(over(Container.builder().lower(kept, base)), TELL);
        assertTrue(seen.contains("lower\nmore\nnew"), seen);
        assertEquals(seen, sh(over(Container.builder().lower(base).upper(kept)), TELL));
    }

    @Test
    void nothingIsWrittenWhileASnapshotIsTaken() throws Exception {
        Files.writeString(base.resolve("data/one"), "0");
        Files.writeString(base.resolve("data/two"), "0");
        String counting = "i=0; mkdir /data/many; while :; do i=$((i+1)); echo $i > /data/one; echo $i > /data/two;"
                + " test $i -lt 300 && echo x > /data/many/$i; done";
        try (var store = store();
                var container = over(Container.builder().lower(base))
                        .limits(Limits.none())
                        .start("/bin/sh", "-c", counting)) {
            for (int i = 0; i < 8; i++) {
                Thread.sleep(30);
                var layer = container.snapshot(store, "s" + i);
                String one =
                        Files.readString(layer.directory().resolve("data/one")).strip();
                String two =
                        Files.readString(layer.directory().resolve("data/two")).strip();
                // A file is cut before it is written.
                if (!one.isEmpty() && !two.isEmpty()) {
                    long ahead = Long.parseLong(one) - Long.parseLong(two);
                    assertTrue(ahead == 0 || ahead == 1, one + " " + two);
                }
            }
            var last = container.fs().getPath("/data/two");
            String now = Files.readString(last);
            for (int i = 0; i < 200 && Files.readString(last).equals(now); i++) {
                Thread.sleep(5);
            }
            assertFalse(Files.readString(last).equals(now), "it does not go on");
        }
    }

    @Test
    void whatIsFrozenStaysSo() throws Exception {
        try (var store = store();
                var container = over(Container.builder().lower(base))
                        .limits(Limits.none())
                        .start("/bin/sh", "-c", "while :; do echo x >> /data/file; done")) {
            container.freeze();
            var _ = container.snapshot(store, "frozen");
            long size = Files.size(container.fs().getPath("/data/file"));
            Thread.sleep(100);
            assertEquals(size, Files.size(container.fs().getPath("/data/file")));
            container.thaw();
        }
    }

    @Test
    void aRunningContainerThatNothingCanFreezeIsRefusedUntilItsEnd() throws Exception {
        try (var store = store();
                var container = over(Container.builder().lower(base)).start("/bin/cat")) {
            var refused = assertThrows(IllegalStateException.class, () -> container.snapshot(store, "x"));
            assertTrue(refused.getMessage().contains("limits(Limits.none())"), refused.getMessage());
            container.stdin().close();
            container.waitFor().orThrow();
            assertEquals(
                    List.of(container.snapshot(store, "x").directory(), base),
                    store.stack(store.referenced("x").orElseThrow()));
        }
    }

    @Test
    void aSnapshotOfOtherLayersIsNotRestored() throws Exception {
        Path other = Files.createDirectory(directory.resolve("other"));
        try (var store = store();
                var branch = store.branch(base);
                var elsewhere = store.branch(other)) {
            assertEquals("", sh(over(Container.builder().on(branch)), "echo kept > /data/kept"));
            var refused =
                    assertThrows(IllegalArgumentException.class, () -> branch.restore(elsewhere.commit("elsewhere")));
            assertTrue(refused.getMessage().contains(base.toString()), refused.getMessage());
            assertEquals("kept", sh(over(Container.builder().on(branch)), "cat /data/kept"));
        }
    }

    /** Of an ordinary user, whose whiteouts are other ones. */
    static final class Rootless {
        private Rootless() {}

        @SuppressWarnings("try") // Its files are let go before they are put back.
        public static void main(String[] args) throws Exception {
            Path directory = Path.of(args[0]);
            Path base = base(directory);
            try (var store = LayerStore.open(directory.resolve("store"));
                    var branch = store.branch(base)) {
                var builder = over(Container.builder().on(branch));
                try (var container = builder.start("/bin/sh", "-c", CHANGE.replace("4711", "711"))) {
                    container.waitFor().orThrow();
                    var snapshot = container.snapshot(store, "before");
                    container.close();
                    String seen = sh(builder, TELL);
                    sh(builder, "rm -r /data");
                    branch.restore(snapshot);
                    assertEquals(seen, sh(builder, TELL));
                    System.out.println(seen.contains("lower\nmore\nnew"));
                }
            }
        }
    }

    @Test
    void anOrdinaryUserRollsBackToo() throws Exception {
        Path own = Files.createDirectory(directory.resolve("own"));
        Files.setAttribute(own, "unix:uid", SOMEBODY);
        Path copies = Files.createDirectory(directory.resolve("copies"));
        var jvm = JavaAs.user(SOMEBODY, SOMEBODY, copies).run(Rootless.class.getName(), own.toString());
        assertEquals("true", jvm.output());
    }
}
