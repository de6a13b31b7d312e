// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.Samples.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.sys.Processes;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Join;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@NeedsRoot
@ExtendWith(NoLeaks.class)
class NamespacesTest {
    private static String ours(Namespace namespace) throws Exception {
        return Files.readSymbolicLink(Path.of("/proc/self/ns", namespace.file()))
                .toString();
    }

    private static String inside(ContainerBuilder container, Namespace namespace) throws Exception {
        return sh(container, "readlink /proc/self/ns/" + namespace.file());
    }

    @ParameterizedTest
    @EnumSource
    void aNewNamespaceIsNotTheHosts(Namespace namespace) throws Exception {
        assertNotEquals(ours(namespace), inside(overHost().fresh(namespace), namespace));
    }

    @ParameterizedTest
    @EnumSource(names = {"USER", "TIME"})
    void whatNeitherDefaultsNorSettingsMakeIsTheHosts(Namespace namespace) throws Exception {
        assertEquals(ours(namespace), inside(overHost(), namespace));
    }

    @ParameterizedTest
    @EnumSource
    void aBareContainerIsInTheHostsNamespaces(Namespace namespace) throws Exception {
        assertEquals(ours(namespace), inside(Container.bare(), namespace));
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"MOUNT", "USER"})
    void joinsTheNamespaceOfARunningContainer(Namespace namespace) throws Exception {
        try (var first = overHost().fresh(namespace).start("sleep", "100")) {
            String theirs = Files.readSymbolicLink(Path.of("/proc/" + first.pid() + "/ns/" + namespace.file()))
                    .toString();
            assertEquals(theirs, inside(overHost().join(first, namespace), namespace));
        }
    }

    @Test
    void joinsAUserNamespaceTogetherWithTheOthersItOwns() throws Exception {
        try (var first = Container.sandbox().lower(Path.of("/")).start("sleep", "100")) {
            var second = Container.bare()
                    .join(first, Namespace.USER, Namespace.PID, Namespace.NETWORK, Namespace.UTS, Namespace.MOUNT);
            assertEquals("sandbox 0 caisson-init", sh(second, "echo $(hostname) $(id -u) $(cat /proc/1/comm)"));
        }
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"MOUNT", "USER"})
    void joinsTheNamespaceOfAProcessBehindAPidfd(Namespace namespace) throws Exception {
        try (var first = overHost().fresh(namespace).start("sleep", "100");
                var pidfd = Processes.open((int) first.pid())) {
            String theirs = Files.readSymbolicLink(Path.of("/proc/" + first.pid() + "/ns/" + namespace.file()))
                    .toString();
            assertEquals(theirs, inside(overHost().join(new Join.OfPidfd(namespace, pidfd.number())), namespace));
        }
    }

    @Test
    void joinsANamespaceByItsFile() throws Exception {
        try (var first = overHost().newNetwork().start("sleep", "100")) {
            var file = Path.of("/proc/" + first.pid() + "/ns/net");
            assertEquals(
                    "lo",
                    sh(overHost().join(Namespace.NETWORK, file), "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"));
        }
    }

    @Test
    void theCommandIsPid1() throws Exception {
        assertEquals("1", sh(overHost(), "echo $$"));
    }

    @Test
    void theLoopbackInterfaceIsUpAndAlone() throws Exception {
        assertEquals(
                "lo 1",
                sh(overHost().newNetwork(), "echo $(ls /sys/class/net) $(($(cat /sys/class/net/lo/flags) & 1))"));
    }

    @Test
    void theHostNameIsSetInsideOnly() throws Exception {
        String before = Files.readString(Path.of("/proc/sys/kernel/hostname"));
        assertEquals("box", sh(overHost().hostname("box").domainName("example"), "hostname"));
        assertEquals(before, Files.readString(Path.of("/proc/sys/kernel/hostname")));
    }

    @Test
    void theClocksAreOffset() throws Exception {
        var container = overHost().bootTimeOffset(Duration.ofDays(1000)).monotonicOffset(Duration.ofDays(2000));
        assertTrue(Double.parseDouble(sh(container, "cut -d' ' -f1 /proc/uptime")) > 1000 * 86_400);
    }

    @Test
    void rootInsideIsNobodyOnTheHost() throws Exception {
        assertEquals("0 524288 65536", sh(overHost().newUser(), "echo $(cat /proc/self/uid_map)"));
    }

    @Test
    void idsAreMappedAsTheMapSays() throws Exception {
        var map = IdMap.range(0, 300_000, 10);
        try (var container =
                overHost().newUser(map).user(3, 4).stdin(Stdio.pipe()).start("cat")) {
            assertEquals(300_003, Files.getAttribute(Path.of("/proc/" + container.pid()), "unix:uid"));
            assertEquals(300_004, Files.getAttribute(Path.of("/proc/" + container.pid()), "unix:gid"));
        }
    }

    @Test
    void nothingOfTheHostsMountsIsLeftInside() throws Exception {
        String mounts = sh(overHost(), "cat /proc/self/mountinfo");
        assertFalse(mounts.contains("/sys/fs/cgroup"), mounts);
        assertEquals(1, mounts.lines().filter(l -> l.split(" ")[4].equals("/")).count(), mounts);
    }

    @Test
    void theHostsMountTableNeverChanges() throws Exception {
        String before = Files.readString(Path.of("/proc/self/mountinfo"));
        try (var container =
                overHost().tmpfs("/mnt", 1, dev.caisson.linux.ByteUnit.MB).start("sleep", "100")) {
            assertTrue(container.isAlive());
            assertEquals(before, Files.readString(Path.of("/proc/self/mountinfo")));
        }
    }
}
