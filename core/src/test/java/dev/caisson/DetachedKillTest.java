// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.supervise.StateDirectory;
import dev.caisson.testkit.NeedsRoot;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** JVMs that start detached containers are killed at random moments of their lives: nothing is lost, and nothing left. */
@NeedsRoot
class DetachedKillTest {
    /** How often; each costs the start of a JVM. The system property caisson.kills has another number, such as 100. */
    private static final int KILLS = Integer.getInteger("caisson.kills", 4);

    private static final long MOST_MILLIS = 2500;

    @TempDir
    Path directory;

    @BeforeEach
    void keepApart() {
        System.setProperty(StateDirectory.PROPERTY, directory.resolve("state").toString());
    }

    @AfterEach
    void letGo() {
        System.clearProperty(StateDirectory.PROPERTY);
    }

    @Test
    @Timeout(value = 20, unit = TimeUnit.MINUTES)
    void aKilledJvmLosesNeitherAContainerNorAnExitStatusNorAByteOfLog() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        int containers = 0;
        int halfWay = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            String prefix = "k" + kill;
            var said = livesUntilKilled(prefix, random);
            var list = ended();
            String context = "seed " + seed + ", kill " + kill + ", " + said + ", " + list;
            containers += list.size();
            var names = new HashSet<String>();
            for (var entry : list) {
                names.add(entry.name());
                int number = Integer.parseInt(entry.name().substring(prefix.length() + 1));
                assertEquals(
                        new Containers.State.Ended(new Exit.Exited(DetachedLives.code(number))),
                        entry.state(),
                        context);
                assertEquals(DetachedLives.LINES, lines(entry.name()), context);
                assertTrue(Containers.remove(entry.name()), context);
            }
            for (String line : said) {
                if (line.startsWith("started ")) {
                    assertTrue(names.contains(line.substring("started ".length())), context);
                }
            }
            if (!said.isEmpty() && said.getLast().startsWith("starting ")) {
                halfWay++;
                assertIsFree(said.getLast().substring("starting ".length()), context);
            }
            assertEquals(Set.of(), cgroups(prefix), context);
        }
        System.out.println(KILLS + " kills, " + containers + " containers, " + halfWay + " kills during a start");
    }

    /** {@return what the JVM said before it was killed} */
    private List<String> livesUntilKilled(String prefix, Random random) throws Exception {
        Path output = directory.resolve(prefix);
        var java = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "--enable-native-access=ALL-UNNAMED",
                        "-D" + StateDirectory.PROPERTY + "=" + System.getProperty(StateDirectory.PROPERTY),
                        "-cp",
                        System.getProperty("java.class.path"),
                        DetachedLives.class.getName(),
                        prefix)
                .redirectErrorStream(true)
                .redirectInput(new File("/dev/null"))
                .redirectOutput(output.toFile())
                .start();
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (Files.size(output) == 0 && System.nanoTime() < deadline) {
            assertTrue(java.isAlive());
            Thread.sleep(1);
        }
        Thread.sleep(random.nextLong(MOST_MILLIS));
        assertTrue(java.isAlive(), () -> "it ended by itself: " + content(output));
        var _ = java.destroyForcibly().waitFor();
        var complete = content(output);
        return complete.isEmpty() ? List.of() : List.of(complete.split("\n"));
    }

    private static String content(Path output) {
        try {
            return Files.readString(output, StandardCharsets.UTF_8);
        } catch (java.io.IOException unreadable) {
            throw new java.io.UncheckedIOException(unreadable);
        }
    }

    /** {@return all there are, once all have ended} */
    private static List<Containers.Entry> ended() throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (true) {
            var list = Containers.list();
            boolean all = true;
            for (var entry : list) {
                if (entry.state() instanceof Containers.State.Created) {
                    all = false; // Its supervisor is about to see that the JVM is gone.
                } else if (!(entry.state() instanceof Containers.State.Ended)) {
                    try (var container = Container.attach(entry.name())) {
                        assertTrue(container.waitFor(Duration.ofSeconds(60)).isPresent(), entry.toString());
                    }
                    all = false;
                }
            }
            if (all) {
                return list;
            }
            assertTrue(System.nanoTime() < deadline, list.toString());
            Thread.sleep(5);
        }
    }

    private static int lines(String name) throws Exception {
        var lines = new ArrayList<String>();
        Containers.log(name, false, output -> lines.add(new String(output.bytes(), StandardCharsets.UTF_8)));
        for (int i = 0; i < lines.size(); i++) {
            assertEquals("line " + i + "\n", lines.get(i));
        }
        return lines.size();
    }

    /** Whatever the killed JVM left of a start half way is in nobody's way. */
    private static void assertIsFree(String name, String context) throws Exception {
        try (var container = Samples.overHost().name(name).detached().start("/bin/true")) {
            assertEquals(new Exit.Exited(0), container.waitFor(), context);
        }
        assertTrue(Containers.remove(name), context);
    }

    private static Set<String> cgroups(String prefix) throws Exception {
        var left = new HashSet<String>();
        for (int attempt = 0; attempt < 500; attempt++) {
            left.clear();
            for (File hierarchy : children(new File("/sys/fs/cgroup"))) {
                for (File cgroup : children(hierarchy)) {
                    if (cgroup.getName().startsWith("caisson-detached-" + prefix + "-")) {
                        left.add(cgroup.toString());
                    }
                }
            }
            if (left.isEmpty()) {
                return left;
            }
            Thread.sleep(10); // The zygote of the killed JVM removes those of a start half way.
        }
        return left;
    }

    /** Others vanish meanwhile; only names are asked for. */
    private static File[] children(File directory) {
        File[] children = directory.listFiles();
        return children == null ? new File[0] : children;
    }

    @Test
    @Timeout(60)
    void ofJvmsThatStartTheSameNameAtOnceOneWins() throws Exception {
        var jvms = new ArrayList<Process>();
        for (int i = 0; i < 2; i++) {
            jvms.add(new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1",
                            "--enable-native-access=ALL-UNNAMED",
                            "-D" + StateDirectory.PROPERTY + "=" + System.getProperty(StateDirectory.PROPERTY),
                            "-cp",
                            System.getProperty("java.class.path"),
                            OneName.class.getName())
                    .redirectErrorStream(true)
                    .start());
        }
        int won = 0;
        int refused = 0;
        for (var jvm : jvms) {
            String said = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, jvm.waitFor(), said);
            var counts = said.strip().split(" ");
            won += Integer.parseInt(counts[0]);
            refused += Integer.parseInt(counts[1]);
        }
        assertEquals(2 * OneName.ROUNDS, won + refused);
        assertTrue(won >= 1, won + " of " + (won + refused));
        assertFalse(Containers.list().stream().anyMatch(e -> e.state() instanceof Containers.State.Running));
    }

    /** Starts, stops and removes containers of one name as fast as it can. */
    static final class OneName {
        static final int ROUNDS = 15;

        private OneName() {}

        public static void main(String[] args) throws Exception {
            int won = 0;
            int refused = 0;
            for (int i = 0; i < ROUNDS; i++) {
                try (var container = Samples.overHost().name("same").detached().start("/bin/sleep", "600")) {
                    won++;
                    var _ = container.stop(Duration.ZERO);
                    Containers.remove("same");
                } catch (ContainerException taken) {
                    if (!(taken.getCause() instanceof java.nio.file.FileAlreadyExistsException)) {
                        throw taken;
                    }
                    refused++;
                }
            }
            System.out.println(won + " " + refused);
        }
    }
}
