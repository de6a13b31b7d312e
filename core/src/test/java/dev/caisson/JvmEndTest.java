// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.ByteUnit;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is left of containers with cgroups when their JVM has ended, in whatever way: nothing. */
@NeedsRoot
@Timeout(120)
class JvmEndTest {
    /** Has containers of several kinds, each in a cgroup, and ends as it is told. */
    static final class Jvm {
        private Jvm() {}

        public static void main(String[] args) throws Exception {
            var processes = new ArrayList<Long>();
            for (var builder : List.of(
                    Container.builder().lower(Path.of("/")),
                    Container.sandbox().lower(Path.of("/")),
                    Container.builder().lower(Path.of("/")).newUser().delegateCgroup(),
                    Container.bare())) {
                var limited = builder.memoryMax(64, ByteUnit.MB);
                var _ = limited.start("/bin/true").waitFor();
                processes.add(limited.start("/bin/sh", "-c", "trap '' HUP TERM; sleep 1000 & wait; sleep 1000")
                        .pid());
            }
            System.out.println(ProcessHandle.current().pid() + " "
                    + cgroups(ProcessHandle.current().pid()).size() + " " + processes);
            System.out.flush();
            switch (args[0]) {
                case "main returns" -> {}
                case "exit" -> System.exit(0);
                case "halt" -> Runtime.getRuntime().halt(0);
                case "killed" -> kill(ProcessHandle.current().pid());
                case "killed with its zygote" -> {
                    // Stopped first: it is not to have the time that a loaded machine gives it.
                    for (var child : ProcessHandle.current().children().toList()) {
                        if (Files.readString(Path.of("/proc/" + child.pid() + "/comm"))
                                .equals("caisson-zygote\n")) {
                            kill(child.pid());
                        }
                    }
                    Runtime.getRuntime().halt(0);
                }
                default -> throw new IllegalArgumentException(args[0]);
            }
        }

        private static void kill(long pid) {
            var _ = dev.caisson.linux.sys.Native.call(dev.caisson.linux.Syscall.KILL, pid, 9, 0);
        }
    }

    /** {@return the cgroups of a JVM's containers} */
    private static List<Path> cgroups(long jvm) throws IOException {
        var all = new ArrayList<Path>();
        for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
            if (line.contains(" - cgroup")) {
                try (Stream<Path> list = Files.walk(Path.of(line.split(" ")[4]), 3)) {
                    list.filter(p -> p.getFileName().toString().startsWith("caisson-" + jvm + "-"))
                            .forEach(all::add);
                } catch (UncheckedIOException changing) {
                    // Other cgroups come and go.
                }
            }
        }
        return all;
    }

    private static boolean isAlive(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return !stat.substring(stat.lastIndexOf(')')).startsWith(") Z");
        } catch (IOException ended) {
            return false;
        }
    }

    /** Of what a JVM said: its own number, how many cgroups it has, and its containers. */
    private record Said(long jvm, List<Long> processes) {
        static Said by(JavaAs.Ended ended) {
            String[] words = ended.output().replaceAll("[\\[\\],]", "").split(" ");
            assertTrue(Integer.parseInt(words[1]) >= 4, ended.output());
            return new Said(
                    Long.parseLong(words[0]),
                    Stream.of(words).skip(2).map(Long::parseLong).toList());
        }

        List<Object> left() throws IOException {
            var left = new ArrayList<Object>(cgroups(jvm));
            processes.stream().filter(JvmEndTest::isAlive).forEach(left::add);
            return left;
        }

        void assertNothingIsLeft() throws Exception {
            for (int i = 0; i < 1500 && !left().isEmpty(); i++) {
                Thread.sleep(10);
            }
            assertEquals(List.of(), left());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"main returns", "exit", "halt", "killed"})
    void nothingIsLeft(String how) throws Exception {
        Said.by(JavaAs.oneself().run(Jvm.class.getName(), how)).assertNothingIsLeft();
    }

    /** Uses a container with a cgroup, and is there for a moment. */
    static final class Next {
        private Next() {}

        public static void main(String[] args) throws Exception {
            Container.builder()
                    .lower(Path.of("/"))
                    .memoryMax(64, ByteUnit.MB)
                    .run("/bin/sleep", "4")
                    .orThrow();
        }
    }

    @Test
    void whatIsLeftWhenTheZygoteIsKilledTooTheNextJvmRemoves() throws Exception {
        var said = Said.by(JavaAs.oneself().run(Jvm.class.getName(), "killed with its zygote"));
        var next = JavaAs.oneself().run(Next.class.getName());
        assertEquals(0, next.code(), next.output());
        said.assertNothingIsLeft();
        assertFalse(said.processes().isEmpty());
    }
}
