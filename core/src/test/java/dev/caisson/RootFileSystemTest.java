// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.Samples.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.ByteUnit;
import dev.caisson.overlay.changes.Change;
import dev.caisson.spec.Mount;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@NeedsRoot
@ExtendWith(NoLeaks.class)
class RootFileSystemTest {
    @TempDir
    Path directory;

    /** A directory that becomes a root: the host's programs are bound into it, everything else is its own. */
    private Path root() throws Exception {
        Path root = Files.createDirectories(directory.resolve("root"));
        for (String name : List.of("bin", "lib", "lib64", "sbin")) {
            Path link = root.resolve(name);
            if (!Files.isSymbolicLink(link)) {
                Files.createSymbolicLink(link, Path.of("usr", name));
            }
        }
        return root;
    }

    private ContainerBuilder over(Path root) {
        return Container.builder().rootfs(root).bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY);
    }

    @Test
    void writesAreGoneWithTheContainer() throws Exception {
        Path file = Path.of("/caisson-test-" + System.nanoTime());
        assertEquals("written", sh(overHost(), "echo written > " + file + "; cat " + file));
        assertFalse(Files.exists(file));
    }

    @Test
    void anUpperKeepsWrites() throws Exception {
        Path lower = Files.createDirectories(directory.resolve("lower"));
        Path upper = Files.createDirectories(directory.resolve("upper"));
        Files.createDirectories(directory.resolve("upper.work"));
        for (String name : List.of("bin", "lib", "lib64")) {
            Files.createSymbolicLink(lower.resolve(name), Path.of("usr", name));
        }
        Files.writeString(lower.resolve("kept"), "lower");
        var container =
                Container.builder().lower(lower).upper(upper).bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY);
        sh(container, "echo changed > /kept; echo new > /new");
        assertEquals("changed\n", Files.readString(upper.resolve("kept")));
        assertEquals("lower", Files.readString(lower.resolve("kept")));
        assertEquals("new", sh(container, "cat /new"));
    }

    @Test
    void theTopmostLayerWins() throws Exception {
        Path top = Files.createDirectories(directory.resolve("top, with:odd\\characters"));
        Files.writeString(top.resolve("motd"), "top");
        Files.writeString(root().resolve("motd"), "bottom");
        var container = Container.builder().lower(top, root()).bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY);
        assertEquals("top", sh(container, "cat /motd"));
    }

    @Test
    void aDirectoryWithoutPlaceForTheMountsOfASandboxIsExplained() throws Exception {
        Path bare = Files.createDirectory(directory.resolve("bare"));
        var failure = assertThrows(
                ContainerException.class, () -> Container.sandbox().rootfs(bare).run("/true"));
        assertTrue(failure.getMessage().contains("by lower() instead of rootfs()"), failure.getMessage());
    }

    @Test
    void aDirectoryBelowOneThatIsTheCallersAloneIsTheRootOfASandbox() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        for (String place : List.of("proc", "sys", "dev", "run", "tmp", "usr")) {
            Files.createDirectories(root().resolve(place));
        }
        assertEquals("here", sh(Container.sandbox().rootfs(root()).bind(Path.of("/usr"), "/usr"), "echo here"));
    }

    @Test
    void aDirectoryIsUsedAsItIs() throws Exception {
        sh(over(root()), "echo stays > /file");
        assertEquals("stays\n", Files.readString(root().resolve("file")));
    }

    @Test
    void aReadOnlyRootCannotBeWritten() throws Exception {
        var container = overHost().readOnly().tmpfs("/tmp", 1, ByteUnit.MB);
        assertEquals("read-only", sh(container, "touch /etc/x 2>/dev/null || echo read-only; touch /tmp/x"));
    }

    @Test
    void bindOptionsAreTheMounts() throws Exception {
        var container =
                overHost().bind(directory, "/mnt", Mount.Option.READ_ONLY, Mount.Option.NO_EXEC, Mount.Option.NO_SUID);
        String options = sh(container, "grep ' /mnt ' /proc/self/mountinfo | cut -d' ' -f6");
        assertTrue(List.of(options.split(",")).containsAll(List.of("ro", "nosuid", "nodev", "noexec")), options);
    }

    /** A node made inside would open any disk of the host, and CAP_MKNOD is among the default capabilities. */
    @Test
    void aDeviceNodeMadeInsideCannotBeOpenedAnywhere() throws Exception {
        var container = overHost().bind(directory, "/mnt").tmpfs("/data", 1, ByteUnit.MB);
        for (String place : List.of("/", "/etc", "/tmp", "/dev", "/dev/shm", "/mnt", "/data")) {
            String script =
                    "cd " + place + "; mknod zero-too c 1 5 && ls zero-too; head -c 1 zero-too 2>&1 | grep -o Perm.*";
            assertEquals("zero-too\nPermission denied", sh(container, script), place);
        }
    }

    @Test
    void theMinimalDevWorks() throws Exception {
        String script = "echo x > /dev/null; for d in zero full urandom random; do head -c 3 /dev/$d | wc -c; done";
        assertEquals("3\n3\n3\n3", sh(overHost(), script));
        assertEquals("character special file 1:3", sh(overHost(), "stat -c '%F %Hr:%Lr' /dev/null"));
    }

    @Test
    void aDeviceOfTheHostIsBoundByItsName() throws Exception {
        assertEquals("3", sh(overHost().bind(Path.of("/dev/zero"), "/dev/nulls"), "head -c 3 /dev/nulls | wc -c"));
    }

    @Test
    void devicesInABoundDirectoryWorkWhereThatIsAsked() throws Exception {
        assertEquals(
                "3",
                sh(
                        overHost().bind(Path.of("/dev"), "/host-dev", Mount.Option.DEVICES),
                        "head -c 3 /host-dev/zero | wc -c"));
        assertEquals(
                "0", sh(overHost().bind(Path.of("/dev"), "/host-dev"), "head -c 3 /host-dev/zero 2>/dev/null | wc -c"));
    }

    @Test
    void bindMountsAreWritableUnlessTheyAreNot() throws Exception {
        sh(overHost().bind(directory, "/mnt/deep/er"), "echo hi > /mnt/deep/er/file");
        assertEquals("hi\n", Files.readString(directory.resolve("file")));
    }

    @Test
    void aSingleFileIsBound() throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "of the host");
        assertEquals("of the host", sh(overHost().bind(file, "/etc/made/for/it"), "cat /etc/made/for/it"));
    }

    @Test
    void contentIsAReadOnlyFile() throws Exception {
        var container =
                overHost().file("/etc/resolv.conf", "nameserver 10.0.0.1\n").file("/etc/hosts", "");
        assertEquals(
                "nameserver 10.0.0.1 0 read-only",
                sh(
                                container,
                                "echo $(cat /etc/resolv.conf) $(wc -c < /etc/hosts);"
                                        + " echo x 2>/dev/null > /etc/hosts || echo read-only")
                        .replace('\n', ' '));
    }

    @Test
    void aTmpfsHasItsSize() throws Exception {
        assertEquals("1024", sh(overHost().tmpfs("/data", 1, ByteUnit.MB), "df -k /data | tail -1 | awk '{print $2}'"));
    }

    @Test
    void maskedPathsShowNothing() throws Exception {
        var container = overHost().mask("/etc/passwd").mask("/usr/share").mask("/proc/not/there");
        assertEquals("0 0", sh(container, "echo $(wc -c < /etc/passwd) $(ls /usr/share | wc -l)"));
    }

    @Test
    void readOnlyPathsCannotBeWritten() throws Exception {
        assertEquals("no", sh(overHost().readOnlyPath("/etc"), "touch /etc/x 2>/dev/null || echo no; touch /x"));
    }

    @Test
    void theKernelsDelicateFilesAreCoveredOrReadOnly() throws Exception {
        assertEquals(
                "0 no",
                sh(
                                overHost(),
                                "cat /proc/keys /proc/interrupts | wc -c; echo 1 2>/dev/null > /proc/sys/kernel/sysrq || echo no")
                        .replace('\n', ' '));
    }

    @Test
    void devHasSixDevicesAndTheyWork() throws Exception {
        assertEquals(
                "full null random tty urandom zero 4",
                sh(
                        overHost(),
                        "cd /dev; echo $(for f in *; do test -c $f -a ! -L $f && echo $f; done) $(head -c4 zero | wc -c); : > null"));
    }

    @Test
    void terminalsSharedMemoryAndQueuesAreThere() throws Exception {
        assertEquals(
                "devpts tmpfs mqueue",
                sh(
                                overHost(),
                                "for d in pts shm mqueue; do grep \" /dev/$d \" /proc/self/mountinfo | sed 's/.* - //' | cut -d' ' -f1; done")
                        .replace('\n', ' '));
    }

    @Test
    void aLinkOfTheImageIsFollowedInsideTheRootOnly() throws Exception {
        Path outside = Files.createDirectories(directory.resolve("outside"));
        Path root = root();
        Files.createDirectories(Path.of(root.toString(), outside.toString()));
        Files.createSymbolicLink(root.resolve("absolute"), outside);
        Files.createSymbolicLink(root.resolve("climbing"), Path.of("../../../../../../.." + outside));
        sh(over(root).tmpfs("/absolute/x", 1, ByteUnit.MB).file("/climbing/y", "inside"), "true");
        try (var list = Files.list(outside)) {
            assertEquals(0, list.count());
        }
        assertTrue(Files.exists(Path.of(root.toString(), outside.resolve("x").toString())));
        assertTrue(Files.exists(Path.of(root.toString(), outside.resolve("y").toString())));
    }

    @Test
    void whatALinkThatLeadsToNothingNamesIsMadeInsideTheRoot() throws Exception {
        Path outside = Files.createDirectories(directory.resolve("outside"));
        Path root = root();
        Files.createSymbolicLink(root.resolve("link"), outside);
        assertEquals("inside", sh(over(root).file("/link/y", "inside"), "cat /link/y"));
        try (var list = Files.list(outside)) {
            assertEquals(0, list.count());
        }
        assertTrue(Files.exists(Path.of(root.toString(), outside.resolve("y").toString())));
    }

    @Test
    void anImageThatMakesProcALinkIsRefused() throws Exception {
        Path root = root();
        Files.createSymbolicLink(root.resolve("proc"), Path.of("/etc"));
        var failure = assertThrows(ContainerException.class, () -> over(root).run("true"));
        assertTrue(failure.getMessage().contains("ELOOP"), failure.getMessage());
        assertEquals("mount /proc", failure.step().orElseThrow());
    }

    @Test
    void aMissingLayerIsNamed() {
        var failure = assertThrows(
                ContainerException.class,
                () -> Container.builder().lower(directory.resolve("none")).run("true"));
        assertTrue(failure.getMessage().contains(directory.resolve("none").toString()), failure.getMessage());
    }

    @Test
    void theHostsDirectoriesAreWrittenToInAUserNamespaceToo() throws Exception {
        String script = "for d in / /tmp /opt /home /usr /etc; do mkdir $d/made && echo x > $d/made/file || exit; done;"
                + " stat -c %U:%G /tmp/made/file; stat -c %a /tmp";
        assertEquals("root:root\n1777", sh(overHost().newUser(), script));
        try (var container = overHost().newUser().start("/bin/sh", "-c", "mkdir /opt/made")) {
            container.waitFor().orThrow();
            // Somebody else may write to the host's own /tmp meanwhile, which is a layer here.
            assertEquals(
                    List.of("/opt/made"),
                    container
                            .changes()
                            .filter(change -> !(change instanceof Change.LayerChanged))
                            .map(Change::path)
                            .toList());
        }
    }

    @Test
    void lessPrivilegedContainersDoNotReadTheHostsSecrets() throws Exception {
        assertEquals(
                "denied denied",
                sh(
                                Container.sandbox().lower(Path.of("/")),
                                "cat /etc/shadow 2>/dev/null || echo denied; ls /root 2>/dev/null || echo denied")
                        .replace('\n', ' '));
    }
}
