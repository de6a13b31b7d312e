// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.Samples.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Xattrs;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Namespace;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Users by name: those of the files that the container has, whatever they come from; and what belongs to them. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class AccountsTest {
    private static final String WHO = "echo $(id -u):$(id -g) $(id -G) $HOME";
    private static final int WHITEOUT = 0020000;
    private static final int PIPE = 0010644;

    @TempDir
    Path directory;

    private Path top;
    private Path bottom;

    @BeforeEach
    void makeTwoLayers() throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        top = Files.createDirectories(directory.resolve("top/etc")).getParent();
        bottom = Files.createDirectories(directory.resolve("bottom/etc")).getParent();
        for (String name : List.of("bin", "lib", "lib64", "sbin")) {
            Files.createSymbolicLink(bottom.resolve(name), Path.of("usr", name));
        }
        Files.writeString(
                bottom.resolve("etc/passwd"), "root:x:0:0::/root:/bin/sh\nbob:x:1001:1002::/home/bob:/bin/sh\n");
        Files.writeString(bottom.resolve("etc/group"), "bob:x:1002:\nstaff:x:50:alice,bob\n");
    }

    private ContainerBuilder layers() {
        return Container.builder().lower(top, bottom).bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY);
    }

    private static void make(Path layer, String name, int mode) throws IOException {
        try (var at = dev.caisson.linux.sys.Files.open(layer.toString(), OpenFlags.O_PATH, 0)) {
            At.makeNode(at, name.getBytes(StandardCharsets.UTF_8), mode, 0);
        }
    }

    private static void assertUnknown(ContainerBuilder container) {
        var failure = assertThrows(ContainerException.class, () -> container.run("/bin/true"));
        assertTrue(
                failure.getMessage().contains("\"bob\" is not in the container's /etc/passwd"), failure.getMessage());
    }

    @Test
    void aNameIsThatOfTheMergedLayers() throws Exception {
        for (var container : List.of(layers(), layers().init(), layers().allowNewPrivileges(), layers().readOnly())) {
            assertEquals("1001:1002 1002 50 /home/bob", sh(container.user("bob"), WHO));
        }
        assertEquals("1001:50 50 /home/bob", sh(layers().user("bob:staff"), WHO));
        assertEquals("1001:1002 1002 50 /home/bob", sh(layers().user("1001"), WHO));
        assertEquals("0:0 0 50 /root", sh(layers().groups("staff"), WHO));
        assertEquals("1001:7 7 /x", sh(layers().user(1001, 7).environment("HOME", "/x"), WHO));
    }

    @Test
    void whoWasDeletedInALayerIsNobody() throws Exception {
        make(top.resolve("etc"), "passwd", WHITEOUT);
        assertUnknown(layers().user("bob"));
        assertEquals("1001:7 7 /", sh(layers().user(1001, 7), WHO));
    }

    @Test
    void anOpaqueDirectoryHidesTheFilesBelow() throws Exception {
        try (var etc = dev.caisson.linux.sys.Files.open(top.resolve("etc").toString(), 0, 0)) {
            Xattrs.set(etc, "trusted.overlay.opaque", "y".getBytes(StandardCharsets.UTF_8));
        }
        assertUnknown(layers().user("bob"));
    }

    @Test
    void linksLeadFromOneLayerToAnother() throws Exception {
        Files.move(
                bottom.resolve("etc/passwd"),
                Files.createDirectory(bottom.resolve("accounts")).resolve("users"));
        Files.createSymbolicLink(top.resolve("etc/passwd"), Path.of("/accounts/users"));
        assertEquals("1001:1002 1002 50 /home/bob", sh(layers().user("bob"), WHO));
    }

    @Test
    void whatIsMountedCounts() throws Exception {
        String passwd = "bob:x:77:78::/elsewhere:/bin/sh\n";
        Path file = Files.writeString(directory.resolve("passwd"), passwd);
        Path etc = Files.createDirectory(directory.resolve("etc"));
        Files.writeString(etc.resolve("passwd"), passwd);
        for (var container : List.of(
                layers().file("/etc/passwd", passwd),
                layers().bind(file, "/etc/passwd"),
                layers().bind(file, "/etc/passwd").newUser())) {
            assertEquals("77:78 78 50 /elsewhere", sh(container.user("bob"), WHO));
        }
        assertEquals("77:78 78 /elsewhere", sh(layers().bind(etc, "/etc").user("bob"), WHO));
        assertUnknown(layers().tmpfs("/etc", 1, dev.caisson.linux.ByteUnit.MB).user("bob"));
        assertUnknown(layers().mask("/etc/passwd").user("bob"));
    }

    @Test
    void whoIsNotMappedCannotBe() {
        var container = layers().newUser(IdMap.range(0, 300_000, 100)).user("bob");
        var failure = assertThrows(ContainerException.class, () -> container.run("/bin/true"));
        assertTrue(failure.getMessage().contains("user 1001:1002 does not exist"), failure.getMessage());
    }

    @Test
    void aJoinedContainersUsersAreItsOwn() throws Exception {
        try (var running = layers().start("/bin/sleep", "60")) {
            var second = Container.bare().join(running, Namespace.PID, Namespace.MOUNT);
            assertEquals("1001:1002 1002 50", sh(second.user("bob"), "echo $(id -u):$(id -g) $(id -G)"));
        }
    }

    @Test
    void aHostileFileIsNotRead() throws Exception {
        make(top.resolve("etc"), "passwd", PIPE);
        assertTrue(assertThrows(
                        ContainerException.class, () -> layers().user("bob").run("/bin/true"))
                .getMessage()
                .contains("not a file of data"));
        Files.delete(top.resolve("etc/passwd"));
        for (String target : List.of("/proc/version", "/dev/zero")) {
            Files.createSymbolicLink(top.resolve("etc/passwd"), Path.of(target));
            assertTrue(assertThrows(
                            ContainerException.class, () -> layers().user("bob").run("/bin/true"))
                    .getMessage()
                    .contains("not a file of data"));
            Files.delete(top.resolve("etc/passwd"));
        }
        Files.createSymbolicLink(top.resolve("etc/passwd"), Path.of("/proc/self/fd/0"));
        assertThrows(ContainerException.class, () -> layers().user("bob").run("/bin/true"));
    }

    @Test
    void bareCommandsHaveTheHostsUsers() throws Exception {
        assertEquals("1:1", sh(Container.bare().user("daemon"), "echo $(id -u):$(id -g)"));
        assertEquals("/usr/sbin", sh(overHost().user("daemon"), "echo $HOME"));
    }

    @Test
    void theUserOpensItsStreamsAnew() throws Exception {
        String script = "echo out > /dev/stdout; echo err > /dev/stderr; cat /dev/stdin";
        for (var container : List.of(
                layers().user("bob"),
                layers().user(1001, 1002),
                layers().user("bob").init(),
                layers().newUser(),
                layers().newUser().user("bob"))) {
            var output = container.capture("/bin/sh", "-c", script).orThrow();
            assertEquals("out", output.text());
            assertEquals("err", output.errorText());
            try (var running = container.start("/bin/sh", "-c", script)) {
                running.stdin().write("in\n".getBytes(StandardCharsets.UTF_8));
                running.stdin().close();
                assertEquals("out\nin\n", new String(running.stdout().readAllBytes(), StandardCharsets.UTF_8));
                running.waitFor().orThrow();
            }
        }
    }

    @Test
    void aVolumeIsMadeForTheUser() throws Exception {
        int number = 0;
        for (var entry : List.of(
                new Object[] {layers().user("bob"), 1001, 1002},
                new Object[] {layers().user(5, 6), 5, 6},
                new Object[] {layers(), 0, 0},
                new Object[] {layers().newUser(), 524_288, 524_288},
                new Object[] {layers().newUser().user("bob"), 525_289, 525_290})) {
            Path volume = directory.resolve("volume" + number++);
            sh(((ContainerBuilder) entry[0]).volume(volume, "/data"), "echo x > /data/file");
            assertEquals(entry[1], Files.getAttribute(volume, "unix:uid"));
            assertEquals(entry[2], Files.getAttribute(volume, "unix:gid"));
        }
        Path mine = Files.createDirectory(directory.resolve("mine"));
        sh(layers().user(5, 6).volume(mine, "/data"), "true");
        assertEquals(0, Files.getAttribute(mine, "unix:uid"));
    }
}
