// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.Samples.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.ByteUnit;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.flag.RenameFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Mount;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Places in a root: what is mounted there, covered, made read-only, and what the root itself is. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class MountTargetsTest {
    private static final int STARTS = 40;

    /** So that some starts get through. */
    private static final long PAUSE_NANOS = 50_000;

    private static final int DIRECTORY_WITH_STICKY_BIT = 0041777;
    private static final int CHARACTER_DEVICE = 0020666;
    private static final int PIPE = 0010666;
    private static final long ZERO = 1 << 8 | 5;

    @TempDir
    Path directory;

    private Path root;

    @BeforeEach
    void makeTheImage() throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        root = Files.createDirectories(directory.resolve("root"));
        for (String name : List.of("bin", "lib", "lib64", "sbin")) {
            Files.createSymbolicLink(root.resolve(name), Path.of("usr", name));
        }
    }

    private static ContainerBuilder withPrograms(ContainerBuilder builder) {
        return builder.bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY);
    }

    private ContainerBuilder overRoot() {
        return withPrograms(Container.builder().rootfs(root));
    }

    @Test
    void needlessSlashesAndDotsOfATargetDoNotMatter() throws Exception {
        for (String target : List.of("/a//b", "/a/b/", "//a/./b/.", "/./a/b")) {
            assertEquals("1", sh(overRoot().tmpfs(target, 1, ByteUnit.MB), "grep -c ' /a/b ' /proc/self/mountinfo"));
            assertThrows(
                    IllegalStateException.class,
                    () -> overRoot()
                            .tmpfs("/a/b", 1, ByteUnit.MB)
                            .bind(directory, target)
                            .run("/bin/true"),
                    target);
            assertEquals("of mine", sh(overRoot().file(target + "/c//d", "of mine"), "cat /a/b/c/d"));
            assertEquals("no", sh(overRoot().readOnlyPath(target), "touch /a/b/x 2>/dev/null || echo no"));
            Files.deleteIfExists(root.resolve("a/b/c/d"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "//", "/.", "/./"})
    void theRootItselfIsNoTarget(String path) throws Exception {
        assertThrows(IllegalArgumentException.class, () -> overRoot().mask(path));
        assertThrows(IllegalArgumentException.class, () -> overRoot().tmpfs(path, 1, ByteUnit.MB));
        assertThrows(IllegalArgumentException.class, () -> overRoot().bind(directory, path));
        assertThrows(IllegalArgumentException.class, () -> overRoot().file(path, ""));
        assertEquals("no", sh(overRoot().readOnlyPath(path), "touch /x 2>/dev/null || echo no"));
        assertThrows(
                IllegalStateException.class,
                () -> Container.bare().readOnlyPath(path).run("/bin/true"));
    }

    @Test
    void aReadOnlyPathIsReadOnlyAndNothingMore() throws Exception {
        assertEquals("ran no", sh(overHost().readOnlyPath("/usr"), "echo ran $(touch /usr/x 2>/dev/null || echo no)"));
    }

    @Test
    void whatShallBeCoveredMustBeThere() throws Exception {
        for (var container : List.of(overRoot().mask("/not/there"), overRoot().readOnlyPath("/not/there"))) {
            var failure = assertThrows(ContainerException.class, () -> container.run("/bin/true"));
            assertTrue(failure.getMessage().contains("come back after the start"), failure.getMessage());
        }
        sh(overRoot().mask("/proc/not/there").readOnlyPath("/sys/not/there"), "true");
    }

    /** A neighbour on the same directory moves the secret away and back while containers start. */
    @Test
    void whatIsMovedDuringTheStartIsCoveredOrTheStartFails() throws Exception {
        Files.createDirectory(root.resolve("secrets"));
        Files.writeString(root.resolve("secrets/file"), "secret");
        Files.writeString(root.resolve("one"), "secret");
        var container = overRoot().mask("/secrets").mask("/one");
        String look = "cat /secrets/file /away/file /one /gone 2>/dev/null; true";
        int started = 0;
        var over = new AtomicBoolean();
        var neighbour = Thread.ofPlatform().start(() -> {
            while (!over.get()) {
                move("secrets", "away");
                move("away", "secrets");
                move("one", "gone");
                move("gone", "one");
            }
        });
        try {
            for (int i = 0; i < STARTS; i++) {
                try {
                    assertEquals("", sh(container, look));
                    started++;
                } catch (ContainerException refused) {
                    assertTrue(refused.getMessage().contains("ENOENT"), refused.getMessage());
                }
            }
        } finally {
            over.set(true);
            neighbour.join();
        }
        assertTrue(started > 0, "none of " + STARTS + " started");
    }

    private void move(String from, String to) {
        var _ = root.resolve(from).toFile().renameTo(root.resolve(to).toFile());
    }

    /** Devices in a bound directory are not to be opened, but a device that is bound is: so that is exchanged for a directory. */
    @ParameterizedTest
    @ValueSource(ints = {CHARACTER_DEVICE, PIPE})
    void aSourceThatIsExchangedDuringTheStartGetsNoMoreThanItWouldHave(int type) throws Exception {
        Files.createDirectory(root.resolve("mnt"));
        Files.createDirectory(directory.resolve("b"));
        try (var here = open(directory);
                var b = open(directory.resolve("b"))) {
            At.makeNode(here, name("a"), type, ZERO);
            At.makeNode(b, name("zero"), CHARACTER_DEVICE, ZERO);
            At.changeMode(b, DIRECTORY_WITH_STICKY_BIT & 07777);
            var over = new AtomicBoolean();
            var neighbour = Thread.ofPlatform().start(() -> {
                while (!over.get()) {
                    exchange(here);
                }
            });
            try {
                for (int i = 0; i < STARTS; i++) {
                    try {
                        var output = overRoot()
                                .bind(directory.resolve("a"), "/mnt")
                                .capture("/bin/sh", "-c", "head -c 3 /mnt/zero | wc -c");
                        assertEquals("0", output.text().strip());
                    } catch (ContainerException refused) {
                        assertFalse(refused.getMessage().isEmpty());
                    }
                }
            } finally {
                over.set(true);
                neighbour.join();
            }
        }
    }

    private static void exchange(Fd here) {
        try {
            At.rename(here, name("a"), here, name("b"), RenameFlags.RENAME_EXCHANGE);
        } catch (LinuxException impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static byte[] name(String name) {
        return name.getBytes(StandardCharsets.UTF_8);
    }

    private static Fd open(Path path) throws IOException {
        return dev.caisson.linux.sys.Files.open(path.toString(), OpenFlags.O_PATH, 0);
    }

    /** A neighbour on the same directory exchanges a directory for a link to the host's (the class of CVE-2021-30465). */
    @Test
    void aTargetThatIsExchangedForALinkDuringTheStartIsStillInside() throws Exception {
        Path outside = Files.createDirectory(directory.resolve("outside"));
        Files.createDirectory(root.resolve("a"));
        Files.createSymbolicLink(root.resolve("b"), outside);
        int started = 0;
        try (var here = open(root)) {
            var over = new AtomicBoolean();
            var neighbour = Thread.ofPlatform().start(() -> {
                while (!over.get()) {
                    exchange(here);
                    LockSupport.parkNanos(PAUSE_NANOS);
                }
            });
            try {
                for (int i = 0; i < STARTS; i++) {
                    var container = overRoot()
                            .tmpfs("/a/deep/er", 1, ByteUnit.MB)
                            .file("/a/file", "x")
                            .bind(directory.resolve("root"), "/a/bound");
                    try {
                        assertEquals("0", sh(container, "ls -A " + outside + "/deep/er 2>/dev/null | wc -l"));
                        started++;
                    } catch (ContainerException refused) {
                        assertFalse(refused.getMessage().isEmpty());
                    }
                }
            } finally {
                over.set(true);
                neighbour.join();
            }
        }
        try (var made = Files.list(outside)) {
            assertEquals(List.of(), made.toList());
        }
        assertTrue(started > 0, "none of " + STARTS + " started");
    }

    @Test
    void aDirectoryOnAFileAndTheReverseAreSaidToBeThat() throws Exception {
        Path file = Files.writeString(root.resolve("file"), "x");
        Files.createDirectory(root.resolve("dir"));
        for (var container : List.of(
                overRoot().bind(directory, "/file"),
                overRoot().tmpfs("/file", 1, ByteUnit.MB),
                overRoot().bind(directory, "/file/below"))) {
            var failure = assertThrows(ContainerException.class, () -> container.run("/bin/true"));
            assertTrue(failure.getMessage().contains("a directory is to be mounted there"), failure.getMessage());
        }
        for (var container : List.of(overRoot().bind(file, "/dir"), overRoot().file("/dir", "x"))) {
            var failure = assertThrows(ContainerException.class, () -> container.run("/bin/true"));
            assertTrue(failure.getMessage().contains("the target is a directory"), failure.getMessage());
        }
    }

    @Test
    void aTargetBehindLinksThatLeadToNothingIsMadeWhereTheyLead() throws Exception {
        Files.createDirectory(root.resolve("etc"));
        Files.createSymbolicLink(root.resolve("etc/resolv.conf"), Path.of("../run/systemd/resolve/stub.conf"));
        Files.createSymbolicLink(root.resolve("etc/chain"), Path.of("first"));
        Files.createSymbolicLink(root.resolve("etc/first"), Path.of("/var/second"));
        Files.createDirectory(root.resolve("var"));
        Files.createSymbolicLink(root.resolve("var/second"), Path.of("../../../../srv//./third/"));
        Files.createSymbolicLink(root.resolve("data"), Path.of("nowhere/data"));
        Files.createSymbolicLink(root.resolve("loop"), Path.of("loop"));
        Path file = Files.writeString(directory.resolve("file"), "bound");
        var layer = withPrograms(Container.builder().lower(root));
        for (var container : List.of(layer.newUser(), layer.init(), overRoot())) {
            var with = container
                    .file("/etc/resolv.conf", "nameserver")
                    .bind(file, "/etc/chain")
                    .tmpfs("/data/sub", 1, ByteUnit.MB);
            String script = "cat /run/systemd/resolve/stub.conf /etc/resolv.conf /srv/third; echo;"
                    + " readlink /etc/resolv.conf; grep -c ' /nowhere/data/sub ' /proc/self/mountinfo";
            assertEquals("nameservernameserverbound\n../run/systemd/resolve/stub.conf\n1", sh(with, script));
        }
        assertFalse(Files.exists(Path.of("/srv/third")));
        assertThrows(
                ContainerException.class, () -> overRoot().file("/loop", "").run("/bin/true"));
    }

    /** Where a link has "..", openat2(2) gives up if anything on the machine is renamed at that moment. */
    @Test
    void aTargetBehindALinkIsFoundWhileOthersRename() throws Exception {
        Path deep = Files.createDirectories(root.resolve("a/b/c/d/e/f/g/h"));
        Files.createSymbolicLink(root.resolve("link"), Path.of("a/b/../../".repeat(4) + "a/b"));
        Files.createFile(deep.resolve("target"));
        var container = overRoot().tmpfs("/link", 1, ByteUnit.MB).readOnlyPath("/link");
        var over = new AtomicBoolean();
        var renaming = Thread.ofPlatform().start(() -> {
            Path here = directory.resolve("here");
            Path there = directory.resolve("there");
            try {
                Files.createFile(here);
                while (!over.get()) {
                    Files.move(here, there);
                    Files.move(there, here);
                }
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        });
        try {
            for (int i = 0; i < 50; i++) {
                container.run("/bin/true").orThrow();
            }
            assertTrue(renaming.isAlive());
        } finally {
            over.set(true);
            renaming.join();
        }
    }

    /** What the launch that asks might make is no more than the start itself makes. */
    @Test
    void aCommandRunsOnceWhateverIsAskedBefore() throws Exception {
        Files.createSymbolicLink(root.resolve("link"), Path.of("missing/place"));
        Path out = Files.createDirectory(directory.resolve("out"));
        sh(overRoot().bind(out, "/out").tmpfs("/link", 1, ByteUnit.MB), "echo ran >> /out/log");
        assertEquals(List.of("ran"), Files.readAllLines(out.resolve("log")));
    }

    @Test
    void theTopIsWhatTheTopmostLayersIs() throws Exception {
        Files.setAttribute(root, "unix:mode", 01777);
        Files.setAttribute(root, "unix:uid", 1000);
        Files.setAttribute(root, "unix:gid", 1001);
        Path below = Files.createDirectory(directory.resolve("below"));
        String look = "stat -c '%a %u:%g' /";
        var layers = withPrograms(Container.builder().lower(root, below));
        assertEquals("1777 1000:1001", sh(layers, look));
        assertEquals("755 0:0", sh(withPrograms(Container.builder().lower(below, root)), look));
        // Layers have their owners inside, whatever the map.
        assertEquals("1777 1000:1001", sh(layers.newUser(IdMap.range(0, 500, 65_536)), look));
        assertEquals("1777 1000:1001", sh(layers.newUser(IdMap.range(0, 300_000, 65_536)), look));
        Path upper = directory.resolve("upper");
        assertEquals("1777 1000:1001", sh(layers.upper(upper), look));
        assertEquals(1000, Files.getAttribute(upper, "unix:uid"));
        assertEquals("1777 1000:1001", sh(layers.upper(upper), look));
        Path mapped = directory.resolve("mapped");
        for (int i = 0; i < 2; i++) {
            assertEquals("1777 1000:1001", sh(layers.upper(mapped).newUser(IdMap.range(0, 500, 65_536)), look));
        }
        Files.setAttribute(root, "unix:mode", 02750);
        assertEquals("2750 1000:1001", sh(layers, look));
    }

    @Test
    void tooManyArgumentsAreSaidToBeThatInAShortMessage() {
        var failure = assertThrows(ContainerException.class, () -> overHost().run("/bin/echo", "x".repeat(3_000_000)));
        assertTrue(failure.getMessage().contains("E2BIG"), failure.getMessage().substring(0, 300));
        assertTrue(
                failure.getMessage().contains("RLIMIT_STACK"),
                failure.getMessage().substring(0, 300));
        assertTrue(
                failure.getMessage().length() < 1500, () -> failure.getMessage().length() + " characters");
        assertTrue(failure.getCause().getMessage().length() < 1500);
    }
}
