// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.ByteUnit;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Native;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The JVM runs out of descriptors: at whichever of the launcher's own steps, nothing is left behind. */
@NeedsRoot
class DescriptorLimitTest {
    private static final int MOST_TRIED = 200;

    @ParameterizedTest
    @ValueSource(strings = {"init", "supervised", "supervised without sendmsg", "terminal", "terminal of the host"})
    void whicheverDescriptorIsOneTooManyNothingIsLeftBehind(String container) throws Exception {
        var jvm = JavaAs.oneself().run(Jvm.class.getName(), container);
        assertEquals(0, jvm.code(), jvm.output());
        String[] last =
                jvm.output().strip().lines().reduce((_, b) -> b).orElseThrow().split(" ");
        int least = container.startsWith("terminal") ? 4 : 6;
        assertTrue(Integer.parseInt(last[0]) >= least, () -> "so many starts failed: " + jvm.output());
        assertTrue(Integer.parseInt(last[1]) >= 10, () -> "so many succeeded: " + jvm.output());
    }

    static final class Jvm {
        private static final int RLIMIT_NOFILE = 7;

        private Jvm() {}

        public static void main(String[] args) throws Exception {
            var builder = builder(args[0]);
            loadClasses();
            start(builder);
            List<String> before = NoLeaks.snapshot();
            int failed = 0;
            int started = 0;
            for (int spare = 0; spare < MOST_TRIED; spare++) {
                long unlimited = limit(firstFree() + spare);
                IOException refused = null;
                try {
                    start(builder);
                } catch (IOException tooMany) {
                    refused = tooMany;
                } finally {
                    limit(unlimited);
                }
                NoLeaks.assertEqualsSoon(before);
                if (refused == null) {
                    started++;
                } else {
                    failed++;
                    System.out.println(spare + ": " + refused.getMessage());
                }
            }
            System.out.println(failed + " " + started);
        }

        private static ContainerBuilder builder(String container) {
            var policy = Seccomp.otherwise(Action.allow()).supervise(Syscall.EXECVE, _ -> Reply.proceed());
            return switch (container) {
                case "init" -> Container.sandbox().lower(Path.of("/")).init().memoryMax(64, ByteUnit.MB);
                case "terminal" -> Container.builder().lower(Path.of("/")).terminal(80, 24);
                case "terminal of the host" -> Container.bare().terminal(80, 24);
                case "supervised" -> Container.builder().lower(Path.of("/")).seccomp(policy);
                default -> Container.builder().lower(Path.of("/")).seccomp(policy.fail(Errno.EPERM, Syscall.SENDMSG));
            };
        }

        /** Classes are read from files too: those that only failures need are to be there before files run out. */
        static void loadClasses() throws Exception {
            for (String entry : System.getProperty("java.class.path").split(":")) {
                Path root = Path.of(entry);
                if (!Files.isDirectory(root)) {
                    continue; // A jar stays open.
                }
                try (Stream<Path> all = Files.walk(root)) {
                    for (Path file :
                            all.filter(f -> f.toString().endsWith(".class")).toList()) {
                        String name = root.relativize(file).toString().replace('/', '.');
                        if (name.startsWith("dev.caisson.") && !name.endsWith("-info.class")) {
                            var _ = Class.forName(
                                    name.substring(0, name.length() - 6), false, Jvm.class.getClassLoader());
                        }
                    }
                }
            }
        }

        private static void start(ContainerBuilder builder) throws IOException, InterruptedException {
            try (var container = builder.start("/bin/true")) {
                assertEquals(new Exit.Exited(0), container.waitFor());
            }
        }

        /** {@return the number above all that are open: from there on every new one counts} */
        private static long firstFree() throws IOException {
            try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
                return 1
                        + all.mapToLong(p -> Long.parseLong(p.getFileName().toString()))
                                .max()
                                .orElseThrow();
            }
        }

        private static long limit(long descriptors) {
            try (var arena = Arena.ofConfined()) {
                var old = arena.allocate(ValueLayout.JAVA_LONG, 2);
                assertEquals(0, Native.call(Syscall.PRLIMIT64, 0, RLIMIT_NOFILE, 0, old.address(), 0, 0));
                var limits = arena.allocateFrom(
                        ValueLayout.JAVA_LONG, descriptors, old.getAtIndex(ValueLayout.JAVA_LONG, 1));
                assertEquals(0, Native.call(Syscall.PRLIMIT64, 0, RLIMIT_NOFILE, limits.address(), 0, 0, 0));
                return old.getAtIndex(ValueLayout.JAVA_LONG, 0);
            }
        }
    }
}
