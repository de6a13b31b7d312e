// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.ByteUnit;
import dev.caisson.overlay.Overlay;
import dev.caisson.overlay.OverlayFallback;
import dev.caisson.overlay.OverlayMount;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.spec.IdMap;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Containers whose layers the kernel does not merge, here because they are stacked too deep. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class OverlayFallbackTest {
    private static final String CHANGE = "echo new > /file; rm -r /d; mkdir /d; echo x > /d/x; ln /kept /again";

    @TempDir
    Path temporary;

    private Path copies;
    private OverlayMount one;
    private OverlayMount two;

    @BeforeEach
    void stackTwoOverlays() throws IOException {
        Path lower = Files.createDirectories(temporary.resolve("lower"));
        Files.createDirectories(lower.resolve("d"));
        Files.writeString(lower.resolve("d/gone"), "");
        Files.writeString(lower.resolve("file"), "old");
        Files.writeString(lower.resolve("kept"), "kept");
        for (String name : List.of("usr", "proc", "dev", "sys", "etc")) {
            Files.createDirectories(lower.resolve(name));
        }
        for (String name : List.of("bin", "lib", "lib64", "sbin")) {
            Files.createSymbolicLink(lower.resolve(name), Path.of("usr", name));
        }
        copies = Files.createDirectory(temporary.resolve("copies"));
        one = Overlay.of(lower).mount();
        two = Overlay.of(one.path()).mount();
    }

    @AfterEach
    void unstack() throws IOException {
        two.close();
        one.close();
    }

    enum Way {
        FUSE,
        COPY;

        OverlayFallback in(Path directory) {
            return this == FUSE ? new OverlayFallback.FuseOverlayfs() : new OverlayFallback.Copy(directory);
        }

        void need() {
            if (this == FUSE) {
                Need.FUSE_OVERLAYFS.orSkip();
            }
        }
    }

    private ContainerBuilder over(Path layer) {
        return Container.builder().lower(layer).bind(Path.of("/usr"), "/usr");
    }

    @Test
    void withoutANamedFallbackTheRefusalIsTheAnswer() {
        var container = over(two.path());
        var failure = assertThrows(ContainerException.class, () -> container.run("/bin/true"));
        assertTrue(
                failure.getMessage().contains("name the layers below it instead, or a fallback"), failure.getMessage());
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aContainerRunsOnTheNamedFallbackAndSaysSo(Way way) throws Exception {
        way.need();
        var before = Files.readAllLines(Path.of("/proc/self/mountinfo"));
        try (var store = LayerStore.open(temporary.resolve("store"));
                var container = over(two.path())
                        .overlayFallback(way.in(copies))
                        .start("/bin/sh", "-c", CHANGE + "; grep -c . /proc/mounts > /mounts")) {
            assertEquals(new Exit.Exited(0), container.waitFor());
            var taken = container.overlayFallback().orElseThrow();
            assertEquals(way.in(copies), taken.way());
            assertTrue(taken.because().contains("stacked two deep"), taken.because());
            try (var changes = container.changes()) {
                var said = changes.map(c -> c.getClass().getSimpleName() + " " + c.path())
                        .sorted()
                        .toList();
                assertEquals(
                        List.of("Added /again", "Added /d/x", "Added /mounts", "Deleted /d/gone", "Modified /file"),
                        said);
            }
            assertEquals("new\n", Files.readString(container.fs().getPath("/file")));
            var layer = container.commit(store, "built");
            assertEquals(
                    Files.getAttribute(layer.directory().resolve("again"), "unix:ino"),
                    Files.getAttribute(layer.directory().resolve("kept"), "unix:ino"));
            try (var again = Overlay.of(layer.directory(), one.path()).mountReadOnly()) {
                assertEquals("new\n", Files.readString(again.path().resolve("file")));
                try (var list = Files.list(again.path().resolve("d"))) {
                    assertEquals(1, list.count());
                }
            }
            assertEquals(before, Files.readAllLines(Path.of("/proc/self/mountinfo")));
        }
        try (var left = Files.list(copies)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void rootOfAUserNamespaceWritesToIt(Way way) throws Exception {
        way.need();
        var container =
                over(two.path()).newUser(IdMap.range(0, 700_000, 65_536)).overlayFallback(way.in(copies));
        String said = sh(container, "cat /file; (echo x > /new) 2>/dev/null && echo written || echo refused");
        assertEquals(way == Way.COPY ? "oldwritten" : "oldrefused", said.strip());
    }

    @Test
    void whatTheKernelTakesIsNoFallback() throws Exception {
        try (var container =
                over(one.path()).overlayFallback(OverlayFallback.any(copies)).start("/bin/true")) {
            container.waitFor().orThrow();
            assertTrue(container.overlayFallback().isEmpty());
        }
    }

    @Test
    void aLimitOfTheUpperThatNoFallbackKeepsIsAnError() {
        var container = over(two.path()).upperSize(1, ByteUnit.MB).overlayFallback(new OverlayFallback.Copy(copies));
        var failure = assertThrows(ContainerException.class, () -> container.run("/bin/true"));
        assertTrue(failure.getMessage().contains("cannot be limited to a size"), failure.getMessage());
    }

    @Test
    void theOriginInACopyIsNotToldWrongly() throws Exception {
        try (var container = over(two.path())
                .overlayFallback(new OverlayFallback.Copy(copies))
                .start("/bin/true")) {
            container.waitFor().orThrow();
            assertThrows(IllegalStateException.class, () -> container.origin("/file"));
            assertEquals(0, container.copyUpCost("/file").bytes());
        }
    }

    @Test
    void explainShowsWhatMayBeTaken() throws Exception {
        String plan = over(two.path())
                .overlayFallback(OverlayFallback.any(copies))
                .explain("/bin/true")
                .toString();
        assertTrue(plan.contains("if the kernel refuses to merge the layers"), plan);
        assertTrue(plan.contains("fuse-overlayfs"), plan);
        assertInstanceOf(String.class, plan);
    }
}
