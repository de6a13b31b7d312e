// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.overlay.changes.Change;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Where the kernel refuses an overlay, here because its layers are stacked too deep, the named ways are taken. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class FallbackTest {
    @TempDir
    Path temporary;

    private Path copies;

    @BeforeEach
    void makePlaceForCopies() throws IOException {
        copies = Files.createDirectory(temporary.resolve("copies"));
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

    /** Two overlays on one another, over which the kernel mounts no third. */
    private record Stack(OverlayMount one, OverlayMount two) implements AutoCloseable {
        static Stack over(Path lower) throws IOException {
            var one = Overlay.of(lower).mount();
            return new Stack(one, Overlay.of(one.path()).mount());
        }

        Path top() {
            return two.path();
        }

        @Override
        public void close() throws IOException {
            two.close();
            one.close();
        }
    }

    private Path lower() throws IOException {
        Path lower = Files.createDirectories(temporary.resolve("lower: a,b\\c"));
        Files.createDirectories(lower.resolve("d/e"));
        Files.writeString(lower.resolve("d/e/deep"), "deep");
        Files.writeString(lower.resolve("file"), "old");
        Files.writeString(lower.resolve("kept"), "kept");
        Files.createLink(lower.resolve("link"), lower.resolve("kept"));
        Files.createSymbolicLink(lower.resolve("symlink"), Path.of("file"));
        return lower;
    }

    private static void change(Path root) throws IOException {
        Files.writeString(root.resolve("file"), "new");
        Files.delete(root.resolve("d/e/deep"));
        Files.delete(root.resolve("d/e"));
        Files.createDirectory(root.resolve("d/e"));
        Files.writeString(root.resolve("d/e/other"), "other");
        Files.writeString(root.resolve("added"), "added");
        Files.createLink(root.resolve("again"), root.resolve("kept"));
        Files.delete(root.resolve("symlink"));
    }

    private static List<String> said(Stream<Change> changes) {
        try (changes) {
            return changes.map(c -> c instanceof Change.Modified m
                            ? "Modified " + c.path() + " " + m.aspects()
                            : c.getClass().getSimpleName() + " " + c.path())
                    .toList();
        }
    }

    private static final List<String> CHANGED = List.of(
            "Added /added",
            "Added /again",
            "Added /d/e/other",
            "Deleted /d/e/deep",
            "Modified /file [CONTENT]",
            "Deleted /symlink");

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatIsNamedIsTakenAndSaidAndItsChangesAreExact(Way way) throws Exception {
        way.need();
        var before = Files.readAllLines(Path.of("/proc/self/mountinfo"));
        try (var stack = Stack.over(lower());
                var mount =
                        Overlay.of(stack.top()).withFallbacks(way.in(copies)).mount()) {
            var taken = mount.fallback().orElseThrow();
            assertEquals(way.in(copies), taken.way());
            assertTrue(taken.because().contains("stack"), taken.because());
            assertEquals("deep", Files.readString(mount.path().resolve("d/e/deep")));
            assertEquals(List.of(), said(mount.changes()));
            change(mount.path());
            assertEquals(
                    CHANGED.stream().sorted().toList(),
                    said(mount.changes()).stream().sorted().toList());
            assertEquals("old", Files.readString(stack.top().resolve("file")));
            assertEquals(before, Files.readAllLines(Path.of("/proc/self/mountinfo")));
        }
        try (var left = Files.list(copies)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void anUpperThatFuseOverlayfsWroteIsOneOfTheKernelsThen() throws Exception {
        Way.FUSE.need();
        Path upper = temporary.resolve("upper x,y\\");
        Path lower = lower();
        try (var stack = Stack.over(lower);
                var mount = Overlay.of(stack.top())
                        .withUpper(upper)
                        .withFallbacks(new OverlayFallback.FuseOverlayfs())
                        .mount()) {
            change(mount.path());
            assertEquals(
                    CHANGED.stream().sorted().toList(),
                    said(mount.changes()).stream().sorted().toList());
        }
        var kernels = Overlay.of(lower).withUpper(upper);
        assertEquals(
                CHANGED.stream().sorted().toList(),
                said(kernels.changes()).stream().sorted().toList());
        try (var mount = kernels.mount();
                var list = Files.list(mount.path().resolve("d/e"))) {
            assertEquals(
                    List.of("other"), list.map(p -> p.getFileName().toString()).toList());
            assertTrue(mount.fallback().isEmpty());
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aViewCannotBeWritten(Way way) throws Exception {
        way.need();
        Path other = Files.createDirectory(temporary.resolve("other"));
        try (var stack = Stack.over(lower());
                var view = Overlay.of(stack.top(), other)
                        .withFallbacks(way.in(copies))
                        .mountReadOnly()) {
            assertEquals("old", Files.readString(view.path().resolve("file")));
            var failure = assertThrows(
                    IOException.class, () -> Files.writeString(view.path().resolve("file"), ""));
            assertTrue(failure.getMessage().contains("Read-only"), failure.getMessage());
        }
    }

    @Test
    void withoutANamedFallbackTheRefusalIsTheAnswer() throws Exception {
        try (var stack = Stack.over(lower())) {
            assertThrows(OverlayException.class, () -> Overlay.of(stack.top()).mount());
        }
    }

    @Test
    void whatTheKernelTakesIsNoFallback() throws Exception {
        try (var mount =
                Overlay.of(lower()).withFallbacks(OverlayFallback.any(copies)).mount()) {
            assertTrue(mount.fallback().isEmpty());
        }
    }

    @Test
    void whatCannotBeHadIsPassedOverAndSaid() throws Exception {
        // Where it is not installed, that is the reason given, before the options are looked at.
        Way.FUSE.need();
        try (var stack = Stack.over(lower())) {
            var overlay = Overlay.of(stack.top())
                    .withOptions(OverlayOptions.defaults().redirectDir(OverlayOptions.RedirectDir.ON))
                    .withFallbacks(
                            new OverlayFallback.FuseOverlayfs(),
                            new OverlayFallback.Reflink(Path.of("/dev/shm")),
                            new OverlayFallback.Copy(copies));
            try (var mount = overlay.mount()) {
                var taken = mount.fallback().orElseThrow();
                assertInstanceOf(OverlayFallback.Copy.class, taken.way());
                assertTrue(taken.because().contains("redirectDir"), taken.because());
                assertTrue(taken.because().contains("cannot share blocks"), taken.because());
            }
        }
        try (var left = Files.list(Path.of("/dev/shm"))) {
            assertFalse(left.anyMatch(p -> p.getFileName().toString().startsWith("caisson-copy")));
        }
    }

    @Test
    void ifNoneCanBeHadEachSaysWhy() throws Exception {
        try (var stack = Stack.over(lower())) {
            var overlay = Overlay.of(stack.top())
                    .withUpper(temporary.resolve("upper"))
                    .withFallbacks(new OverlayFallback.Copy(copies));
            var failure =
                    assertThrows(OverlayException.class, () -> overlay.mount().close());
            assertTrue(failure.getMessage().contains("stack"), failure.getMessage());
            assertTrue(failure.getMessage().contains("keeps no changes in an upper"), failure.getMessage());
            assertFalse(Files.exists(temporary.resolve("upper")));
        }
    }

    @Test
    void copiesOfDeadProcessesAreRemovedByTheNext() throws Exception {
        Path dead = Files.createDirectories(copies.resolve("caisson-copy-1/tree/x"));
        Files.createFile(copies.resolve("caisson-copy-1.lock"));
        try (var stack = Stack.over(lower());
                var _ = Overlay.of(stack.top())
                        .withFallbacks(new OverlayFallback.Copy(copies))
                        .mount()) {
            assertFalse(Files.exists(dead));
        }
        try (var left = Files.list(copies)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void theProcessOfFuseOverlayfsEndsWithAJvmThatIsKilled() throws Exception {
        Way.FUSE.need();
        var jvm = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Holder.class.getName(),
                        lower().toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        ProcessHandle served;
        try {
            String pid = jvm.inputReader().readLine();
            served = ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
            assertTrue(served.isAlive());
        } finally {
            jvm.destroyForcibly().waitFor();
        }
        for (int i = 0; i < 500 && served.isAlive(); i++) {
            Thread.sleep(10);
        }
        assertFalse(served.isAlive());
    }

    @Test
    void aMountWhoseProcessWasKilledFailsAndWaitsForNobody() throws Exception {
        Way.FUSE.need();
        var overlay = Overlay.of(lower()).withFallbacks(new OverlayFallback.FuseOverlayfs());
        try (var mount = overlay.rootByFallback(new IOException("refused"), java.util.OptionalLong.empty())) {
            assertTrue(Files.exists(mount.path().resolve("file")));
            assertTrue(Holder.served().orElseThrow().destroyForcibly());
            boolean failed = false;
            for (int i = 0; i < 500 && !failed; i++) {
                try {
                    Files.writeString(mount.path().resolve("file"), "new");
                    Thread.sleep(10);
                } catch (IOException gone) {
                    failed = true;
                }
            }
            assertTrue(failed);
        }
    }

    /** Another JVM with a fallback of its own, which it holds until it is killed. */
    static final class Holder {
        private Holder() {}

        public static void main(String[] arguments) throws Exception {
            var overlay = Overlay.of(Path.of(arguments[0])).withFallbacks(new OverlayFallback.FuseOverlayfs());
            try (var _ = overlay.rootByFallback(new IOException("refused"), java.util.OptionalLong.empty())) {
                System.out.println(served().orElseThrow().pid());
                Thread.sleep(60_000);
            }
        }

        static java.util.Optional<ProcessHandle> served() {
            return ProcessHandle.current()
                    .children()
                    .filter(p -> p.info().command().orElse("").endsWith("fuse-overlayfs"))
                    .findFirst();
        }
    }
}
