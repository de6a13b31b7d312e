// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.Samples.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.spec.Limits;
import dev.caisson.linux.ByteUnit;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Native;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Namespace;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a container has that nobody said anything about, and that whatever is said counts. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class SafeDefaultsTest {
    private static final int IPC_PRIVATE = 0;
    private static final int IPC_RMID = 0;
    private static final int SHARED_MEMORY_SIZE = 4096;

    private static ContainerBuilder sandbox() {
        return Container.sandbox().lower(Path.of("/"));
    }

    private static String ours(Namespace namespace) throws Exception {
        return Files.readSymbolicLink(Path.of("/proc/self/ns", namespace.file()))
                .toString();
    }

    private static String inside(ContainerBuilder container, Namespace namespace) throws Exception {
        return sh(container, "readlink /proc/self/ns/" + namespace.file());
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"USER", "TIME"})
    void aContainerHasThisNamespaceOfItsOwn(Namespace namespace) throws Exception {
        assertNotEquals(ours(namespace), inside(overHost(), namespace));
    }

    @Test
    void theHostsSharedMemoryAndNetworkAreNotThere() throws Exception {
        long segment = Native.call(Syscall.SHMGET, IPC_PRIVATE, SHARED_MEMORY_SIZE, 0666);
        assertTrue(segment >= 0, () -> "shmget: " + segment);
        try {
            assertEquals("1", sh(overHost(), "wc -l < /proc/sysvipc/shm"));
            assertTrue(Files.readAllLines(Path.of("/proc/sysvipc/shm")).size() > 1);
            assertEquals("lo", sh(overHost(), "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"));
        } finally {
            assertEquals(0, Native.call(Syscall.SHMCTL, segment, IPC_RMID, 0));
        }
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"MOUNT"})
    void whateverAPresetMakesCanBeTheHosts(Namespace namespace) throws Exception {
        for (var container : List.of(
                Container.sandbox().host(namespace).lower(Path.of("/")),
                Container.builder().host(namespace).lower(Path.of("/")))) {
            assertEquals(ours(namespace), inside(container, namespace));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"NETWORK", "IPC", "UTS", "CGROUP"})
    void whateverAPresetMakesCanBeJoined(Namespace namespace) throws Exception {
        try (var first = overHost().start("/bin/sleep", "60")) {
            String theirs = Files.readSymbolicLink(Path.of("/proc/" + first.pid() + "/ns/" + namespace.file()))
                    .toString();
            assertEquals(theirs, inside(overHost().join(first, namespace), namespace));
        }
    }

    @Test
    void whatSomebodySaysTwiceIsStillAContradiction() {
        assertThrows(
                IllegalStateException.class,
                () -> overHost().newNetwork().host(Namespace.NETWORK).run("/bin/true"));
    }

    @Test
    void theNameOfASandboxGoesWithItsNamespace() throws Exception {
        String host = Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        assertEquals("sandbox", sh(sandbox(), "hostname; test $HOSTNAME = sandbox"));
        assertEquals("box", sh(sandbox().hostname("box"), "hostname"));
        assertEquals(host, sh(sandbox().host(Namespace.UTS), "hostname; test -z $HOSTNAME"));
        assertEquals(
                host, Files.readString(Path.of("/proc/sys/kernel/hostname")).strip());
    }

    @Test
    void aSandboxRuns512ProcessesAndNoMore() throws Exception {
        var plan = sandbox().explain("/bin/true");
        if (plan.unenforced().isEmpty()) {
            // Before each one, which stays, the shell prints a line; it gives up at the first that cannot be.
            String script = "i=0; while [ $i -lt 700 ]; do echo x; sleep 60 & i=$((i + 1)); done";
            long made = sandbox()
                    .capture("/bin/sh", "-c", script)
                    .text()
                    .lines()
                    .filter("x"::equals)
                    .count();
            assertEquals(511, made, "of the init, the shell and 510 others, and the attempt to have one more");
            assertTrue(plan.toString().contains("pids.max\", \"512\""), plan.toString());
        } else {
            assertTrue(plan.unenforced().getFirst().contains("512"), plan.toString());
        }
    }

    @Test
    void aLimitThatSomebodySetsReplacesThatOfThePreset() throws Exception {
        String plan = sandbox().pidsMax(10).explain("/bin/true").toString();
        assertTrue(plan.contains("pids.max\", \"10\"") && !plan.contains("\"512\""), plan);
        try (var container = sandbox().limits(Limits.none().pidsMax(7)).start("/bin/sleep", "60")) {
            assertEquals(List.of(), container.unenforced());
        }
    }

    /** An ordinary user has no cgroup here: the sandbox starts, and tells what is not enforced. */
    @Test
    void whereALimitOfAPresetCannotBeSetThatIsTold(@TempDir Path directory) throws Exception {
        var jvm = JavaAs.user(65534, 65534, directory).run(Unlimited.class.getName());
        assertEquals(0, jvm.code(), jvm.output());
        assertTrue(jvm.output().contains("started: true") || jvm.output().contains("enforced here"), jvm.output());
    }

    static final class Unlimited {
        private Unlimited() {}

        public static void main(String[] args) throws Exception {
            var builder = Container.sandbox().lower(Path.of("/"));
            var plan = builder.explain("/bin/true");
            try (var container = builder.start("/bin/true")) {
                container.waitFor().orThrow();
                boolean told = container.unenforced().equals(plan.unenforced())
                        && plan.unenforced().getFirst().startsWith("at most 512 processes: ")
                        && plan.toString().contains("not enforced here: at most 512");
                System.out.println(plan.unenforced().isEmpty() ? "enforced here" : "started: " + told);
            }
        }
    }

    @Test
    void filesInTheMemoryOfASandboxAreAPartOfTheHosts(@TempDir Path directory) throws Exception {
        long memory = Long.parseLong(
                        Files.readAllLines(Path.of("/proc/meminfo")).getFirst().replaceAll("\\D+", ""))
                / 1024;
        String sizes = "df -m / /tmp /run | tail -n +2 | tr -s ' ' | cut -d' ' -f2";
        var layer = Files.createDirectories(directory.resolve("layer"));
        for (String link : List.of("bin", "lib", "lib64", "sbin")) {
            Files.createSymbolicLink(layer.resolve(link), Path.of("usr", link));
        }
        var container = Container.sandbox()
                .host(Namespace.USER)
                .lower(layer)
                .bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY);
        var expected = List.of(memory / 8, Math.min(256, memory / 16), Math.min(16, memory / 16));
        var found = sh(container, sizes).lines().map(Long::parseLong).toList();
        for (int i = 0; i < expected.size(); i++) {
            assertTrue(Math.abs(expected.get(i) - found.get(i)) <= 1, expected + " but " + found);
        }
        assertEquals("33", sh(container.upperSize(33, ByteUnit.MB), "df -m / | tail -1 | tr -s ' ' | cut -d' ' -f2"));
        long data = Long.parseLong(
                sh(container.mount(Mount.tmpfs("/data")), "df -m /data | tail -1 | tr -s ' ' | cut -d' ' -f2"));
        assertTrue(Math.abs(memory / 16 - data) <= 1, data + " MB");
    }

    @Test
    void aMountOfOnesOwnReplacesThatOfAPreset() throws Exception {
        assertEquals(
                "7", sh(sandbox().tmpfs("/tmp", 7, ByteUnit.MB), "df -m /tmp | tail -1 | tr -s ' ' | cut -d' ' -f2"));
        assertEquals(
                "",
                sh(sandbox().bind(Path.of("/usr"), "/run"), "grep ' /run ' /proc/self/mountinfo | grep tmpfs || :"));
    }

    @Test
    void mountsThatNobodyWouldMakeAreRefused() throws Exception {
        for (var builder : List.of(
                Container.bare().host(Namespace.MOUNT).mask("/etc/passwd"),
                Container.bare().host(Namespace.MOUNT).readOnlyPath("/etc"),
                Container.bare()
                        .join(Namespace.MOUNT, Path.of("/proc/self/ns/mnt"))
                        .tmpfs("/mnt", 1, ByteUnit.MB))) {
            assertThrows(IllegalStateException.class, () -> builder.run("/bin/true"));
        }
        assertEquals("0", sh(Container.bare().mask("/etc/passwd"), "wc -c < /etc/passwd"));
    }
}
