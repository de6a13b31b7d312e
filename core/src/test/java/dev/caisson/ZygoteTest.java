// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** No container outlives its JVM. */
class ZygoteTest {
    private static final int SOMEBODY = 64321;

    @TempDir
    Path directory;

    /** Starts containers of several kinds, says their PIDs, and ends as it is told. */
    static final class Jvm {
        private Jvm() {}

        public static void main(String[] args) throws Exception {
            var running = new ArrayList<Container>();
            for (var builder : List.of(
                    Container.bare(),
                    Container.builder().lower(Path.of("/")),
                    Container.sandbox().lower(Path.of("/")).init())) {
                // One that has ended leaves its place to the next.
                var _ = builder.start("/bin/true").waitFor();
                running.add(builder.start("/bin/sh", "-c", "trap '' HUP TERM; while :; do sleep 1000; done"));
            }
            if (args[0].equals("zygote killed")) {
                var old = zygote().orElseThrow();
                assertTrue(old.destroyForcibly());
                while (name(old.pid()).equals("caisson-zygote") && !isZombie(old.pid())) {
                    Thread.sleep(1);
                }
                running.add(Container.bare().start("/bin/sleep", "1000"));
            }
            var pids = new StringBuilder();
            running.forEach(c -> pids.append(c.pid()).append(' '));
            zygote().ifPresent(z -> pids.append(z.pid()));
            System.out.println(pids);
            System.out.flush();
            if (args[0].equals("exit")) {
                System.exit(0);
            }
            var _ = Container.bare()
                    .run(
                            "/bin/kill",
                            "-9",
                            Long.toString(ProcessHandle.current().pid()));
        }

        private static Optional<ProcessHandle> zygote() {
            return ProcessHandle.current()
                    .children()
                    .filter(child -> name(child.pid()).equals("caisson-zygote"))
                    .findFirst();
        }
    }

    private static String name(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/comm")).strip();
        } catch (IOException ended) {
            return "";
        }
    }

    private static void assertNothingOutlives(JavaAs.Ended jvm, int processes) throws Exception {
        String[] pids = jvm.output().strip().split(" ");
        assertEquals(processes, pids.length, jvm.output());
        for (String pid : pids) {
            boolean alive = true;
            for (int i = 0; alive && i < 500; i++) {
                alive = isAlive(pid);
                Thread.sleep(10);
            }
            assertFalse(alive, () -> pid + " of " + jvm.output());
        }
    }

    private static boolean isAlive(String pid) throws Exception {
        return Files.exists(Path.of("/proc", pid)) && !isZombie(Long.parseLong(pid));
    }

    private static boolean isZombie(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/stat")).contains(") Z ");
        } catch (IOException reaped) {
            return true;
        }
    }

    @Test
    void whenTheJvmIsKilledSoAreItsContainers() throws Exception {
        var jvm = JavaAs.oneself().run(Jvm.class.getName(), "killed");
        assertEquals(137, jvm.code(), jvm.output());
        assertNothingOutlives(jvm, 4);
    }

    @Test
    void whenTheJvmExitsItsContainersEnd() throws Exception {
        var jvm = JavaAs.oneself().run(Jvm.class.getName(), "exit");
        assertEquals(0, jvm.code(), jvm.output());
        assertNothingOutlives(jvm, 4);
    }

    @Test
    void whenTheZygoteIsKilledAnotherTakesOver() throws Exception {
        var jvm = JavaAs.oneself().run(Jvm.class.getName(), "zygote killed");
        assertEquals(137, jvm.code(), jvm.output());
        assertNothingOutlives(jvm, 5);
    }

    @NeedsRoot
    @Test
    void anOrdinaryUsersContainersEndWithTheirJvmToo() throws Exception {
        var jvm = JavaAs.user(SOMEBODY, SOMEBODY, directory).run(Jvm.class.getName(), "killed");
        assertTrue(jvm.code() == 137, jvm.output());
        assertNothingOutlives(jvm, 4);
    }
}
