// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.overlay.Overlay;
import dev.caisson.overlay.OverlayFallback;
import dev.caisson.overlay.changes.Change;
import dev.caisson.spec.IdMap;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
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

/** Overlays on overlays, in user namespaces, of ordinary users: they work, or the error names what forbids them. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class NestedOverlayTest {
    @TempDir
    Path temporary;

    private Path base;

    @BeforeEach
    void makeBase() throws IOException {
        base = Files.createDirectory(temporary.resolve("base"));
        for (String name : List.of("usr", "proc", "dev", "sys")) {
            Files.createDirectory(base.resolve(name));
        }
        for (String name : List.of("bin", "lib", "lib64")) {
            Files.createSymbolicLink(base.resolve(name), Path.of("usr", name));
        }
        Files.writeString(base.resolve("file"), "of the base");
    }

    private static ContainerBuilder over(Path layer) {
        return Container.builder().lower(layer).bind(Path.of("/usr"), "/usr");
    }

    @Test
    void anOverlayIsALayerOfAContainer() throws Exception {
        var before = Files.readAllLines(Path.of("/proc/self/mountinfo"));
        try (var overlay = Overlay.of(base).mount();
                var container = over(overlay.path()).start("/bin/sh", "-c", "echo x > /file")) {
            container.waitFor().orThrow();
            try (var changes = container.changes()) {
                assertTrue(changes.anyMatch(
                        c -> c instanceof Change.Modified && c.path().equals("/file")));
            }
            assertEquals(before, Files.readAllLines(Path.of("/proc/self/mountinfo")), "the host's mounts changed");
        }
        assertEquals("of the base", Files.readString(base.resolve("file")));
    }

    @Test
    void anUpperOnAnOverlayIsNamed() throws Exception {
        try (var overlay = Overlay.of(base).mount()) {
            Path upper = overlay.path().resolve("upper");
            var container = over(base).upper(upper);
            var failure = assertThrows(ContainerException.class, () -> container.run("/bin/true"));
            assertTrue(failure.getMessage().contains("is itself on an overlay"), failure.getMessage());
            assertFalse(Files.exists(upper));
        }
    }

    @Test
    void aThirdOverlayIsNamedInAUserNamespaceToo() throws Exception {
        try (var one = Overlay.of(base).mount();
                var two = Overlay.of(one.path()).mount()) {
            var container = over(two.path()).newUser(IdMap.range(0, 700_000, 65_536));
            var failure = assertThrows(ContainerException.class, () -> container.run("/bin/true"));
            assertTrue(failure.getMessage().contains("stacked two deep"), failure.getMessage());
        }
    }

    @Test
    void anOrdinaryUserHasOverlaysAndCopies() throws Exception {
        var everybody = PosixFilePermissions.fromString("rwxrwxrwx");
        Files.setPosixFilePermissions(temporary, everybody);
        Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwxr-xr-x"));
        // In a user namespace of one id, what belongs to others can be read only.
        for (Path path : List.of(base, base.resolve("file"))) {
            Files.setAttribute(path, "unix:uid", 1234);
            Files.setAttribute(path, "unix:gid", 1234);
        }
        Path own = Files.createDirectory(temporary.resolve("own"));
        Files.setPosixFilePermissions(own, everybody);
        Path one = mounted(base, "one");
        Path two = mounted(one, "two");
        JavaAs.Ended jvm;
        try {
            jvm = JavaAs.user(1234, 1234, temporary)
                    .run(Jvm.class.getName(), base.toString(), own.toString(), two.toString());
        } finally {
            mount("umount", two.toString());
            mount("umount", one.toString());
        }
        assertEquals(0, jvm.code(), jvm.output());
        assertTrue(jvm.output().contains("overlay: x"), jvm.output());
        assertTrue(jvm.output().contains("refused: merge 1 layer"), jvm.output());
        assertTrue(jvm.output().contains("stacked two deep"), jvm.output());
        assertTrue(jvm.output().contains("copy: y"), jvm.output());
        assertTrue(jvm.output().contains("[Modified /file]"), jvm.output());
        assertTrue(
                jvm.output()
                        .contains(
                                Need.FUSE_OVERLAYFS.isMet()
                                        ? "it requires root here"
                                        : "fuse-overlayfs is not installed"),
                jvm.output());
        try (var left = Files.list(own)) {
            assertEquals(List.of(), left.toList());
        }
    }

    /** An overlay that others see, too. */
    private Path mounted(Path lower, String name) throws Exception {
        Path place = Files.createDirectory(temporary.resolve(name));
        Path upper = Files.createDirectory(temporary.resolve(name + ".upper"));
        Path work = Files.createDirectory(temporary.resolve(name + ".work"));
        boolean nested = !lower.equals(base);
        String options = nested
                ? "lowerdir=" + lower + ":" + upper
                : "lowerdir=" + lower + ",upperdir=" + upper + ",workdir=" + work;
        mount("mount", "-t", "overlay", "overlay", "-o", options, place.toString());
        return place;
    }

    private static void mount(String... command) throws Exception {
        assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor(), () -> String.join(" ", command));
    }

    /** What an ordinary user does: over a directory, and over overlays on overlays. */
    static final class Jvm {
        private Jvm() {}

        public static void main(String[] args) throws Exception {
            Path base = Path.of(args[0]);
            Path own = Path.of(args[1]);
            var container = over(base);
            System.out.println("overlay: "
                    + container
                            .capture("/bin/sh", "-c", "echo x > /file; cat /file")
                            .orThrow()
                            .text());
            Path nested = Path.of(args[2]);
            var refused = over(nested);
            try {
                refused.run("/bin/true");
            } catch (ContainerException failure) {
                System.out.println("refused: " + failure.getMessage());
            }
            try (var running =
                    refused.overlayFallback(OverlayFallback.any(own)).start("/bin/sh", "-c", "echo y > /file")) {
                running.waitFor().orThrow();
                System.out.println("copy: " + Files.readString(running.fs().getPath("/file")));
                try (var changes = running.changes()) {
                    System.out.println(changes.filter(c -> c.path().equals("/file"))
                            .map(c -> c.getClass().getSimpleName() + " " + c.path())
                            .toList());
                }
                System.out.println(running.overlayFallback());
            }
        }
    }
}
