// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Native;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** How the library begins and ends in a JVM. */
@NeedsRoot
class ShutdownTest {
    static final class Hello {
        private Hello() {}

        public static void main(String[] args) throws Exception {
            assertTrue(overHost().run("/bin/true").isSuccess());
            System.out.println(System.nanoTime());
        }
    }

    /** Without being told, HotSpot waits 300 ms for threads in native code; a machine with much else to do takes some time. */
    @Test
    void aProgramThatRanAContainerEndsAtItsLastLine() throws Exception {
        var late = new ArrayList<Long>();
        for (int i = 0; i < 5; i++) {
            var jvm = JavaAs.oneself().run(Hello.class.getName());
            long ended = System.nanoTime();
            assertEquals(0, jvm.code(), jvm.output());
            late.add(TimeUnit.NANOSECONDS.toMillis(ended - Long.parseLong(jvm.output())));
        }
        late.sort(null);
        assertTrue(late.getFirst() < 150, late.toString());
    }

    /** Ends the library and starts it anew, in one JVM. */
    static final class Again {
        private Again() {}

        public static void main(String[] args) throws Exception {
            List<String> before = null;
            for (int i = 0; i < 3; i++) {
                try (var container = overHost().start("/bin/sleep", "1000")) {
                    assertThrows(IllegalStateException.class, Host::shutdown);
                    assertTrue(container.isAlive());
                }
                Host.shutdown();
                var after = NoLeaks.snapshot();
                assertEquals(List.of(), children());
                assertFalse(Thread.getAllStackTraces().keySet().stream()
                        .anyMatch(t -> t.getName().startsWith("caisson")));
                if (before != null) {
                    assertEquals(before, after);
                }
                before = after;
            }
            System.out.println("done");
        }

        private static List<Long> children() {
            return ProcessHandle.current().children().map(ProcessHandle::pid).toList();
        }
    }

    @Test
    void afterAShutdownNothingRunsAndTheNextContainerStartsItAnew() throws Exception {
        assertEquals("done", JavaAs.oneself().run(Again.class.getName()).output());
    }

    /** Loads Caisson again and again, each time by a class loader of its own. */
    static final class Loading {
        private Loading() {}

        public static void main(String[] args) throws Exception {
            for (int i = 0; i < 3; i++) {
                var loader = new WeakReference<>(use());
                for (int n = 0; n < 100 && loader.get() != null; n++) {
                    System.gc();
                    Thread.sleep(20);
                }
                assertNull(loader.get(), "round " + i);
            }
            System.out.println("unloaded");
        }

        private static ClassLoader use() throws Exception {
            var urls = new ArrayList<URL>();
            for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
                urls.add(Path.of(entry).toUri().toURL());
            }
            var loader = new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
            loader.loadClass("dev.caisson.ShutdownTest$Once")
                    .getDeclaredMethod("run")
                    .invoke(null);
            loader.close();
            return loader;
        }
    }

    /** Runs in the other class loader. */
    public static final class Once {
        private Once() {}

        public static void run() throws Exception {
            assertTrue(Container.bare().run("/bin/true").isSuccess());
            Host.shutdown();
        }
    }

    @Test
    void aClassLoaderIsUnloadedAfterAShutdown() throws Exception {
        // The JDK's own caches hold it softly.
        var jvm = JavaAs.oneself().with("-XX:SoftRefLRUPolicyMSPerMB=0");
        assertEquals("unloaded", jvm.run(Loading.class.getName()).output());
    }

    /** Has no descriptor left at its first container, and then has some. */
    static final class Short {
        private Short() {}

        public static void main(String[] args) throws Exception {
            // Classes are read from files too; those of a first use are to be there before files run out.
            assertTrue(Container.bare().run("/bin/true").isSuccess());
            Host.shutdown();
            DescriptorLimitTest.Jvm.loadClasses();
            fillGaps();
            int refused = 0;
            for (int spare = 0; ; spare++) {
                long all = limit(firstFree() + spare);
                try {
                    assertTrue(Container.bare()
                            .stdin(Stdio.inherit())
                            .run("/bin/true")
                            .isSuccess());
                    break;
                } catch (ContainerException tooFew) {
                    refused++;
                } finally {
                    limit(all);
                }
            }
            assertTrue(refused >= 4, "refused " + refused + " times");
            assertTrue(Container.bare().run("/bin/true").isSuccess());
            System.out.println("recovered");
        }

        private static long firstFree() throws IOException {
            try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
                return 1
                        + all.mapToLong(p -> Long.parseLong(p.getFileName().toString()))
                                .max()
                                .orElseThrow();
            }
        }

        /** Leaves no free number below the highest, since a gap would be a descriptor more than the limit says. */
        private static void fillGaps() throws IOException {
            long highest = firstFree() - 1;
            while (dev.caisson.linux.sys.Files.open("/", OpenFlags.O_PATH, 0).number() < highest) {}
        }

        private static long limit(long descriptors) throws Exception {
            try (var arena = Arena.ofConfined()) {
                var old = arena.allocate(ValueLayout.JAVA_LONG, 2);
                int nofile = 7;
                assertEquals(0, Native.call(Syscall.PRLIMIT64, 0, nofile, 0, old.address(), 0, 0));
                var limits = arena.allocateFrom(
                        ValueLayout.JAVA_LONG, descriptors, old.getAtIndex(ValueLayout.JAVA_LONG, 1));
                assertEquals(0, Native.call(Syscall.PRLIMIT64, 0, nofile, limits.address(), 0, 0, 0));
                return old.getAtIndex(ValueLayout.JAVA_LONG, 0);
            }
        }
    }

    @Test
    void aFirstUseThatFailsForWantOfDescriptorsIsRepeated() throws Exception {
        assertEquals("recovered", JavaAs.oneself().run(Short.class.getName()).output());
    }

    static final class Doctor {
        private Doctor() {}

        public static void main(String[] args) throws Exception {
            System.out.println(Host.doctor());
        }
    }

    /** {@return what a JVM writes in which a system call is unknown, as inside another runtime with its filter} */
    private static String without(Syscall syscall, Class<?> main) throws Exception {
        var output = Container.bare()
                .seccomp(Seccomp.otherwise(Action.allow()).fail(Errno.ENOSYS, syscall))
                .capture(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        main.getName());
        assertEquals(new Exit.Exited(0), output.exit(), output.text() + output.errorText());
        return output.text().strip();
    }

    @Test
    void theDoctorTellsThatNothingCanBeStartedAndWhy() throws Exception {
        String first =
                without(Syscall.MEMFD_CREATE, Doctor.class).lines().findFirst().orElse("");
        assertTrue(first.startsWith("NO") && first.contains("memfd_create") && first.contains("ENOSYS"), first);
    }

    static final class Several {
        private Several() {}

        public static void main(String[] args) throws Exception {
            for (var builder : List.of(
                    Container.bare(),
                    Container.bare().newPid(),
                    overHost(),
                    overHost().init(),
                    overHost().newUser(IdMap.range(0, 700_000, 65_536)))) {
                assertEquals(
                        "done",
                        builder.capture("/bin/echo", "done").orThrow().text().strip());
            }
            System.out.println("all done");
        }
    }

    @Test
    void withoutClone3TheOlderCallDoesWhereItSuffices() throws Exception {
        assertEquals("all done", without(Syscall.CLONE3, Several.class));
    }

    @Test
    void aJvmThatDeniesNativeAccessSaysWhichFlagItNeeds() throws Exception {
        var process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--illegal-native-access=deny",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Hello.class.getName())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(30, TimeUnit.SECONDS));
        String first = output.lines().findFirst().orElse("");
        assertTrue(first.contains("start java with --enable-native-access=ALL-UNNAMED"), output);
        assertFalse(output.contains("ExceptionInInitializerError"), output);
    }
}
