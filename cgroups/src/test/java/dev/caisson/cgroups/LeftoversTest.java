// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.Cgroups.View;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@NeedsRoot
@ExtendWith(NoLeaks.class)
class LeftoversTest {
    /** Makes a cgroup with a process in it and is killed: what a crash of a JVM is. */
    static final class Crashing {
        public static void main(String[] args) throws Exception {
            var cgroup = Cgroup.builder(View.ALL.mounts()).create();
            // The hardest to remove: frozen, with a cgroup below that has a process, too.
            var process = Cgroups.shell(cgroup.child("below", Limits.none()), "exec sleep 1000");
            var _ = Cgroups.shell(cgroup, "exec sleep 1000");
            cgroup.freeze();
            System.out.println(cgroup.directories().getFirst() + " " + process.pid());
            Runtime.getRuntime().halt(1);
        }
    }

    @Test
    void whatACrashedJvmLeftIsKilledAndRemoved() throws Exception {
        var mounts = View.ALL.mounts();
        var crashed = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")) + ":"
                                + System.getProperty("jdk.module.path", ""),
                        Crashing.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String[] said = Cgroups.output(crashed).strip().split(" ");
        Path directory = Path.of(said[0]);
        assertTrue(Files.isDirectory(directory), List.of(said).toString());
        var orphan = ProcessHandle.of(Long.parseLong(said[1])).orElseThrow();
        assertTrue(orphan.isAlive());

        try (var own = Cgroup.builder(mounts).create()) {
            var removed = Leftovers.remove(mounts, Optional.empty());
            assertTrue(removed.contains(directory.getFileName().toString()), removed.toString());
            assertFalse(removed.contains(own.name()), "one whose maker lives is left alone");
            assertTrue(Files.isDirectory(own.directories().getFirst()));
        }
        assertFalse(Files.exists(directory));
        orphan.onExit().get(5, TimeUnit.SECONDS);
    }

    /** Makes a cgroup that looks as if its maker had ended. */
    private static Cgroup leftover(int number) throws Exception {
        var self = Owner.ofThisProcess();
        var ended = new Owner(self.pid(), self.startTime() + 1, self.boot(), self.pidNamespace());
        return Cgroup.builder(View.ALL.mounts()).name(ended.name(number)).create();
    }

    @Test
    void severalMayClearUpAtOnce() throws Exception {
        var names = new HashSet<String>();
        for (int round = 0; round < 5; round++) {
            for (int i = 0; i < 20; i++) {
                names.add(leftover(100 * round + i).name());
            }
            try (var threads = Executors.newFixedThreadPool(4)) {
                var removed = new HashSet<String>();
                for (var each :
                        threads.invokeAll(Collections.nCopies(4, (Callable<List<String>>) Cgroup::removeLeftovers))) {
                    removed.addAll(each.get());
                }
                assertTrue(removed.containsAll(names), removed.toString());
            }
            names.clear();
        }
    }

    @Test
    void anotherPidNamespacesCgroupsAreLeftAlone() throws Exception {
        var self = Owner.ofThisProcess();
        var elsewhere = new Owner(999_999, 1, self.boot(), self.pidNamespace() + 1);
        assertFalse(elsewhere.isGone());
        assertTrue(new Owner(self.pid(), self.startTime() + 1, self.boot(), self.pidNamespace()).isGone());
        assertTrue(new Owner(self.pid(), self.startTime(), "00000000", self.pidNamespace()).isGone());
    }

    @Test
    void onlyNamesOfOursAreRead() {
        assertEquals(Optional.empty(), Owner.parse("caisson-1-2"));
        assertEquals(Optional.empty(), Owner.parse("docker-1-2-00000000-4-5"));
        assertEquals(Optional.empty(), Owner.parse("caisson-99999999999999999999-2-00000000-4-5"));
        assertEquals(Optional.of(new Owner(1, 2, "0123abcd", 4)), Owner.parse("caisson-1-2-0123abcd-4-5"));
    }
}
