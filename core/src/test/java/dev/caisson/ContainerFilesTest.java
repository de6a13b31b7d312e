// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.ByteUnit;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@NeedsRoot
@ExtendWith(NoLeaks.class)
class ContainerFilesTest {
    @TempDir
    Path directory;

    private static Container shell(ContainerBuilder builder, String script) throws IOException {
        return builder.start("/bin/sh", "-c", script);
    }

    private static String await(FileSystem files, String path) throws Exception {
        // A shell makes the file first, and then runs what writes it.
        for (int i = 0; i < 500 && (!Files.exists(files.getPath(path)) || Files.size(files.getPath(path)) == 0); i++) {
            Thread.sleep(10);
        }
        return Files.readString(files.getPath(path)).strip();
    }

    @Test
    void javaAndTheContainerSeeTheSameFiles() throws Exception {
        try (var container = shell(overHost(), "read go; cat /tmp/from-java > /tmp/answer; exec sleep 100")) {
            var files = container.fs();
            Files.writeString(files.getPath("/tmp/from-java"), "hello");
            try (var stdin = container.stdin()) {
                stdin.write('\n');
            }
            assertEquals("hello", await(files, "/tmp/answer"));
            assertTrue(Files.exists(files.getPath("/proc/1/status")));
            assertFalse(Files.exists(Path.of("/tmp/from-java")));
            assertSame(files, container.fs());
        }
    }

    @Test
    void filesOutliveTheContainerUntilItIsClosed() throws Exception {
        FileSystem files;
        try (var container =
                shell(overHost().tmpfs("/mnt", 1, ByteUnit.MB), "echo upper > /opt/file; echo tmpfs > /mnt/file")) {
            container.waitFor().orThrow();
            files = container.fs();
            assertEquals("upper\n", Files.readString(files.getPath("/opt/file")));
            assertEquals("tmpfs\n", Files.readString(files.getPath("/mnt/file")));
            Files.writeString(files.getPath("/opt/file"), "still writable");
        }
        assertFalse(files.isOpen());
    }

    @Test
    void aContainerThatNobodyAsksForItsFilesTakesTwoDescriptors() throws Exception {
        var quiet = overHost().stdin(Stdio.discard()).stdout(Stdio.discard()).stderr(Stdio.discard());
        quiet.run("/bin/true").orThrow();
        long before = descriptors();
        try (var container = quiet.start("/bin/sleep", "60")) {
            assertEquals(before + 2, descriptors());
            assertTrue(Files.isDirectory(container.fs().getPath("/etc")));
            assertTrue(descriptors() > before + 2);
        }
        assertEquals(before, descriptors());
    }

    private static long descriptors() throws IOException {
        try (var all = Files.list(Path.of("/proc/self/fd"))) {
            return all.count();
        }
    }

    @Test
    void aContainerThatEndsAtOnceLeavesItsFilesAllTheSame() throws Exception {
        for (int i = 0; i < 20; i++) {
            try (var container = overHost().start("/bin/true")) {
                container.waitFor().orThrow();
                assertTrue(Files.isDirectory(container.fs().getPath("/usr")));
            }
        }
    }

    @Test
    void aClosedContainerHasNoFiles() throws Exception {
        var container = overHost().start("/bin/true");
        container.close();
        assertThrows(IllegalStateException.class, container::fs);
    }

    @Test
    void aContainerOnTheHostsRootHasNoFilesOfItsOwn() throws Exception {
        try (var container = Container.bare().start("/bin/true")) {
            var refusal = assertThrows(IllegalStateException.class, container::fs);
            assertTrue(refusal.getMessage().contains("lower"), refusal.getMessage());
            container.waitFor().orThrow();
        }
    }

    @Test
    void inAUserNamespaceFilesAreMadeAsTheContainersRoot() throws Exception {
        var script = "read go; stat -c '%u:%g' /tmp/made /tmp/dir /tmp/link /tmp/in/f > /tmp/owners; exec sleep 100";
        Path in = Files.createDirectory(directory.resolve("in"));
        Files.writeString(in.resolve("f"), "x");
        try (var container = shell(Container.sandbox().lower(Path.of("/")), script)) {
            var files = container.fs();
            Files.writeString(files.getPath("/tmp/made"), "x");
            Files.createDirectory(files.getPath("/tmp/dir"));
            Files.createSymbolicLink(files.getPath("/tmp/link"), files.getPath("made"));
            Files.move(files.getPath("/tmp/made"), files.getPath("/tmp/renamed"));
            Files.copy(files.getPath("/tmp/renamed"), files.getPath("/tmp/made"));
            container.copyIn(in, "/tmp/in");
            try (var stdin = container.stdin()) {
                stdin.write('\n');
            }
            for (int i = 0; i < 500 && !await(files, "/tmp/owners").contains("\n"); i++) {
                Thread.sleep(10);
            }
            assertEquals("0:0\n0:0\n0:0\n0:0", await(files, "/tmp/owners"));
        }
        // This thread is who it was.
        Files.writeString(directory.resolve("mine"), "x");
        assertEquals(0, Files.getAttribute(directory.resolve("mine"), "unix:uid"));
    }

    @Test
    void treesGoInAndOut() throws Exception {
        Path in = Files.createDirectories(directory.resolve("in/sub"));
        Files.writeString(in.resolve("f"), "x");
        Files.createSymbolicLink(in.resolve("l"), Path.of("/etc/passwd"));
        try (var container =
                shell(overHost(), "read go; mknod /opt/device c 1 3; echo changed > /opt/in/sub/f; exec sleep 100")) {
            container.copyIn(directory.resolve("in"), "/opt/in");
            try (var stdin = container.stdin()) {
                stdin.write('\n');
            }
            for (int i = 0; i < 500 && Files.size(container.fs().getPath("/opt/in/sub/f")) != 8; i++) {
                Thread.sleep(10);
            }
            container.copyOut("/opt/in", directory.resolve("out"));
            assertEquals("changed\n", Files.readString(directory.resolve("out/sub/f")));
            assertEquals(Path.of("/etc/passwd"), Files.readSymbolicLink(directory.resolve("out/sub/l")));
            var refusal = assertThrows(
                    FileSystemException.class, () -> container.copyOut("/opt/device", directory.resolve("device")));
            assertTrue(refusal.getMessage().contains("EPERM"), refusal.getMessage());
            assertThrows(IllegalArgumentException.class, () -> container.copyIn(in, "relative"));
        }
    }

    @Test
    void theHostIsNotReachedThroughTheContainersProc() throws Exception {
        try (var container = shell(overHost(), "exec sleep 100")) {
            var files = container.fs();
            for (String path : new String[] {"/proc/1/root/etc/passwd", "/proc/1/cwd/etc/passwd", "/proc/1/exe"}) {
                assertThrows(FileSystemException.class, () -> Files.size(files.getPath(path)), path);
            }
            assertTrue(Files.isSymbolicLink(files.getPath("/proc/1/exe")));
        }
    }

    /** The kernel would answer with the JVM's rights, and some of its files never come to an end. */
    @Test
    void filesOfTheKernelAreNeverOpened() throws Exception {
        try (var container =
                shell(overHost(), "cd /opt; ln -s /proc/kmsg log; ln -s /proc/version version; exec sleep 100")) {
            var files = container.fs();
            for (int i = 0; i < 500 && !Files.isSymbolicLink(files.getPath("/opt/version")); i++) {
                Thread.sleep(10);
            }
            for (String path : new String[] {
                "/opt/log",
                "/opt/version",
                "/proc/version",
                "/proc/1/status",
                "/sys/kernel/mm/transparent_hugepage/enabled"
            }) {
                var refusal =
                        assertThrows(FileSystemException.class, () -> Files.readString(files.getPath(path)), path);
                assertTrue(refusal.getMessage().contains("interface of the kernel"), refusal.getMessage());
                assertThrows(FileSystemException.class, () -> Files.writeString(files.getPath(path), "x"), path);
            }
            var refusal = assertThrows(
                    FileSystemException.class, () -> container.copyOut("/proc/version", directory.resolve("version")));
            assertTrue(refusal.getMessage().contains("EPERM"), refusal.getMessage());
            assertThrows(
                    FileSystemException.class,
                    () -> Files.copy(files.getPath("/proc/version"), files.getPath("/opt/copy")));
            assertTrue(Files.size(files.getPath("/proc/version")) == 0);
        }
    }

    @Test
    void aLinkThatLeadsToNothingIsFollowedWhereAFileIsMade() throws Exception {
        try (var container = shell(
                overHost(),
                "cd /opt; ln -s ../tmp/one relative; ln -s /tmp/two absolute; ln -s loop loop; ln -s relative chain;"
                        + " exec sleep 100")) {
            var files = container.fs();
            for (int i = 0; i < 500 && !Files.isSymbolicLink(files.getPath("/opt/chain")); i++) {
                Thread.sleep(10);
            }
            Files.writeString(files.getPath("/opt/chain"), "1");
            Files.writeString(files.getPath("/opt/absolute"), "2");
            assertEquals("1", Files.readString(files.getPath("/tmp/one")));
            assertEquals("2", Files.readString(files.getPath("/tmp/two")));
            assertThrows(FileSystemException.class, () -> Files.writeString(files.getPath("/opt/loop"), "x"));
            assertThrows(
                    FileSystemException.class,
                    () -> Files.writeString(files.getPath("/opt/relative"), "x", StandardOpenOption.CREATE_NEW));
        }
    }

    @Test
    void aCopyThatCannotBeNamesTheSideAtFault() throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "x");
        try (var container = shell(overHost(), "exec sleep 100")) {
            var noTarget =
                    assertThrows(NoSuchFileException.class, () -> container.copyIn(file, "/no/such/directory/file"));
            assertEquals("/no/such/directory/file", noTarget.getFile());
            Path none = directory.resolve("none/file");
            var noSource = assertThrows(NoSuchFileException.class, () -> container.copyIn(none, "/opt/file"));
            assertEquals(none.toString(), noSource.getFile());
            var noPlace = assertThrows(NoSuchFileException.class, () -> container.copyOut("/etc/passwd", none));
            assertEquals(none.toString(), noPlace.getFile());
            var nothing = assertThrows(NoSuchFileException.class, () -> container.copyOut("/no/such", file));
            assertEquals("/no/such", nothing.getFile());
        }
    }

    @Test
    void aReadOnlyRootIsReadOnlyForJavaToo() throws Exception {
        try (var container = shell(overHost().readOnly(), "exec sleep 100")) {
            var refusal = assertThrows(
                    FileSystemException.class,
                    () -> Files.writeString(container.fs().getPath("/opt/x"), "x"));
            assertTrue(refusal.getMessage().contains("EROFS"), refusal.getMessage());
        }
    }

    /** The container exchanges a directory for a link to a secret of the host, as fast as a shell can. */
    @Test
    void aHostileContainerLeadsNobodyOutOfItsRoot() throws Exception {
        Path secret = Files.createDirectory(directory.resolve("secret"));
        Files.writeString(secret.resolve("file"), "secret");
        String attack = "mkdir -p /opt/d; echo inside > /opt/d/file; echo > /opt/ready;"
                + " while :; do mv -T /opt/d /opt/real; ln -s " + secret + " /opt/d; rm /opt/d;"
                + " mv -T /opt/real /opt/d; done";
        // The root is a directory of its own, in which the host's path of the secret does not exist.
        Path root = Files.createDirectories(directory.resolve("root"));
        for (String name : new String[] {"bin", "lib", "lib64"}) {
            Files.createSymbolicLink(root.resolve(name), Path.of("usr", name));
        }
        Files.createDirectory(root.resolve("opt"));
        int met = 0;
        int good = 0;
        try (var container =
                shell(Container.builder().lower(root).bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY), attack)) {
            var files = container.fs();
            var _ = await(files, "/opt/ready");
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
            while (System.nanoTime() < end) {
                try {
                    assertEquals("inside\n", Files.readString(files.getPath("/opt/d/file")));
                    Files.writeString(files.getPath("/opt/d/file"), "inside\n");
                    Files.setAttribute(files.getPath("/opt/d/file"), "unix:mode", 0600 | good % 8);
                    good++;
                } catch (IOException metTheLinkOrNothing) {
                    met++;
                }
            }
        }
        assertTrue(good > 0 && met > 0, good + " reached, " + met + " met the link");
        assertEquals("secret", Files.readString(secret.resolve("file")));
        assertEquals(
                0644, (int) Files.getAttribute(secret.resolve("file"), "unix:mode", LinkOption.NOFOLLOW_LINKS) & 07777);
    }
}
