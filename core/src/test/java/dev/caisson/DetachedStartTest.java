// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.spec.IdMap;
import dev.caisson.spec.Restart;
import dev.caisson.spec.Stdio;
import dev.caisson.supervise.StateDirectory;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Starts of detached containers: refused ones leave nothing in this JVM, restarted ones find what they had. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
@Timeout(120)
class DetachedStartTest {
    private static final int SOMEBODY = 61_236;
    private static final String COUNT =
            "n=$(cat /count 2>/dev/null || echo 0); n=$((n+1)); echo $n > /count; echo life $n; [ $n = 3 ]";

    @TempDir
    Path directory;

    @BeforeAll
    static void begin() throws Exception {
        // What the first detached container of a JVM makes stays: the supervisor's executable.
        Path state = Files.createTempDirectory("state");
        System.setProperty(StateDirectory.PROPERTY, state.toString());
        try (var container = overHost().name("first").detached().start("/bin/true")) {
            var _ = container.waitFor();
        }
        Containers.remove("first");
        Files.delete(state);
    }

    @BeforeEach
    void keepApart() {
        System.setProperty(StateDirectory.PROPERTY, directory.resolve("state").toString());
    }

    @AfterEach
    void letGo() throws Exception {
        for (var entry : Containers.list()) {
            Containers.remove(entry.name());
        }
        System.clearProperty(StateDirectory.PROPERTY);
    }

    @Test
    void whatContradictsItselfIsRefusedBeforeAnythingIsMade() {
        var named = overHost().name("x");
        for (var bad : List.of(
                named,
                overHost().detached(),
                overHost().restart(Restart.always()),
                named.detached().stdout(Stdio.pipe()),
                named.detached().stderr(Stdio.memory(100)),
                named.detached().stdout(Stdio.ring(100)),
                named.detached().terminal(80, 24),
                named.detached().newUser(IdMap.range(0, 500_000, 65_536)).restart(Restart.always()),
                named.detached().cpuTimeMax(java.time.Duration.ofSeconds(1)))) {
            assertThrows(IllegalStateException.class, () -> bad.start("/bin/true"), bad.toString());
        }
        assertThrows(IllegalStateException.class, () -> named.detached().run("/bin/true"));
        assertThrows(IllegalStateException.class, () -> named.detached().capture("/bin/true"));
        assertThrows(IllegalStateException.class, () -> named.detached().prepare("/bin/true"));
        assertThrows(IllegalArgumentException.class, () -> Restart.onFailure(-1));
    }

    /** At each of the ways a start may fail: nothing stays in this JVM (NoLeaks), nor on disk. */
    @Test
    void aStartThatFailsLeavesNothing() throws Exception {
        var builder = overHost().name("fails").detached().pidsMax(20).init();
        assertThrows(ContainerException.class, () -> builder.start("/no/such/program"));
        assertThrows(
                ContainerException.class,
                () -> builder.stdin(Stdio.fromFile(directory.resolve("absent"))).start("/bin/true"));
        assertThrows(
                ContainerException.class,
                () -> builder.user("nobodyhasthisname").start("/bin/true"));
        assertThrows(
                ContainerException.class,
                () -> builder.bind(directory.resolve("absent"), "/mnt").start("/bin/true"));
        assertThrows(
                ContainerException.class,
                () -> builder.cgroupParent("/no/such/cgroup").start("/bin/true"));
        assertThrows(
                ContainerException.class,
                () -> builder.workingDirectory("/no/such/directory").start("/bin/true"));
        try (var files = Files.list(directory.resolve("state"))) {
            assertEquals(List.of(), files.toList());
        }
    }

    @Test
    void theListTellsOfAnotherBootThatItsContainersAreLost() throws Exception {
        try (var container = overHost().name("old").detached().start("/bin/true")) {
            assertEquals(new Exit.Exited(0), container.waitFor());
        }
        // As it is found after a crash of the machine: running, of another boot, and nobody holds the lock.
        Path of = directory.resolve("state/old");
        Files.writeString(
                of.resolve("record"), Files.readString(of.resolve("record")).replaceAll("boot .*", "boot 0"));
        Files.writeString(
                of.resolve("status"), Files.readString(of.resolve("status")).replace("state 3", "state 1"));
        assertEquals(
                new Containers.State.Lost(),
                Containers.find("old").orElseThrow().state());
        try (var container = Container.attach("old")) {
            assertThrows(ContainerException.class, container::waitFor);
            assertEquals(false, container.signal(dev.caisson.linux.Signal.SIGKILL));
        }
        assertTrue(Containers.remove("old"));
    }

    @Test
    void aRecordThatNobodyUnderstandsIsNotAContainer() throws Exception {
        Path of = Files.createDirectories(directory.resolve("state/odd"));
        Files.setPosixFilePermissions(directory.resolve("state"), PosixFilePermissions.fromString("rwx------"));
        Files.createFile(of.resolve("lock"));
        Files.writeString(of.resolve("record"), "caisson-container 999\nname odd\n");
        Files.writeString(of.resolve("status"), "caisson-status 999\n");
        assertTrue(Containers.find("odd").isEmpty());
        assertEquals(List.of(), Containers.list());
    }

    @Test
    void withARootAndAUserNamespaceOfManyIdsItIsStartedAgain() throws Exception {
        Path root = Files.createDirectory(directory.resolve("root"));
        for (String name : List.of("bin", "lib", "lib64", "usr", "proc", "dev", "sys", "tmp", "etc")) {
            Files.createDirectory(root.resolve(name));
        }
        var builder = Container.builder().rootfs(root).newUser(IdMap.range(0, 500_000, 65_536));
        for (String name : List.of("bin", "lib", "lib64", "usr", "etc")) {
            builder = builder.bind(Path.of("/" + name), "/" + name, dev.caisson.spec.Mount.Option.READ_ONLY);
        }
        try (var container = builder.user("daemon")
                .name("mapped")
                .detached()
                .restart(Restart.onFailure(2))
                .start("/bin/sh", "-c", "id -un; cat /proc/self/uid_map; exit 9")) {
            assertEquals(new Exit.Exited(9), container.waitFor());
            var lines = new String(container.stdout().readAllBytes(), StandardCharsets.UTF_8)
                    .strip()
                    .split("\n");
            assertEquals(6, lines.length);
            for (int life = 0; life < 3; life++) {
                assertEquals("daemon", lines[2 * life]);
                assertTrue(lines[2 * life + 1].strip().matches("0 +500000 +65536"), lines[2 * life + 1]);
            }
        }
    }

    @Test
    void withAnInitItsCodeIsTheCommandsEachTime() throws Exception {
        try (var container = overHost()
                .init()
                .pidsMax(50)
                .name("with-init")
                .detached()
                .restart(Restart.onFailure(0))
                .start("/bin/sh", "-c", COUNT)) {
            assertEquals(new Exit.Exited(0), container.waitFor());
            assertEquals(
                    "life 1\nlife 2\nlife 3\n", new String(container.stdout().readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    @Test
    void itsWritableLayerOutlivesItWhereItHasOne() throws Exception {
        Path upper = directory.resolve("upper");
        try (var container =
                overHost().upper(upper).name("layer").detached().start("/bin/sh", "-c", "echo kept > /kept")) {
            assertEquals(new Exit.Exited(0), container.waitFor());
        }
        assertEquals("kept\n", Files.readString(upper.resolve("kept")));
        assertTrue(Containers.remove("layer"));
        assertTrue(Files.exists(upper.resolve("kept")));
    }

    @Test
    void anOrdinaryUsersContainerIsStartedAgain() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
        Path copies = Files.createDirectory(directory.resolve("copies"));
        var ended = JavaAs.user(SOMEBODY, SOMEBODY, copies)
                .with("-D" + StateDirectory.PROPERTY + "=" + directory.resolve("users"))
                .run(Twice.class.getName());
        assertEquals("Exited[code=5] 1 restarts\nroot\nroot", ended.output());
    }

    /** What an ordinary user runs. */
    static final class Twice {
        private Twice() {}

        public static void main(String[] args) throws Exception {
            try (var container = overHost()
                    .name("twice")
                    .detached()
                    .restart(Restart.onFailure(1))
                    .start("/bin/sh", "-c", "id -un; exit 5")) {
                var exit = container.waitFor();
                System.out.println(
                        exit + " " + Containers.find("twice").orElseThrow().restarts() + " restarts");
                System.out.print(new String(container.stdout().readAllBytes(), StandardCharsets.UTF_8));
            }
            Containers.remove("twice");
        }
    }
}
