// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.seccomp.SeccompAssertions.assertAllows;
import static dev.caisson.seccomp.SeccompAssertions.assertRefuses;
import static dev.caisson.seccomp.SeccompAssertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.seccomp.learning.Learned;
import dev.caisson.seccomp.learning.Recording;
import dev.caisson.seccomp.profile.SeccompProfile;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Policies learned from real programs, which run under them again. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class LearningTest {
    private static final String JAVA =
            Path.of(System.getProperty("java.home"), "bin", "java").toString();
    private static final String PYTHON = "python3";
    private static final String SOCKETS = """
            import socket
            socket.socket(socket.AF_UNIX).close()
            socket.socket(socket.AF_INET).close()
            """;

    @TempDir
    static Path directory;

    static List<List<String>> programs() {
        return List.of(
                List.of("true"),
                List.of("/bin/sh", "-c", "echo a | cat && ls / >/dev/null"),
                List.of("ls", "-l", "/etc"),
                List.of(PYTHON, "-c", "import json, subprocess; subprocess.run(['true'], check=True)"),
                List.of(JAVA, "-Xint", "-XX:+UseSerialGC", "-Xshare:auto", "-version"));
    }

    private static Recording recorded(Recording recording, List<String> command) throws Exception {
        if (command.getFirst().equals(PYTHON)) {
            Need.PYTHON3.orSkip();
        }
        var output = overHost().seccomp(recording.policy()).capture(command);
        assertEquals(new Exit.Exited(0), output.exit(), output::errorText);
        return recording;
    }

    @ParameterizedTest
    @MethodSource("programs")
    void aProgramRunsUnderThePolicyLearnedFromItAndCannotDoMore(List<String> command) throws Exception {
        var recording = recorded(Recording.begin(), command);
        if (!command.getFirst().equals("true")) {
            // What threads do differs from run to run.
            var _ = recorded(recording, command);
            var _ = recorded(recording, command);
        }
        var learned = recording.learned();
        var again = overHost().seccomp(learned.policy()).capture(command);
        assertEquals(new Exit.Exited(0), again.exit(), () -> again.errorText() + learned.toJava());
        assertTrue(learned.counts().containsKey(Syscall.EXECVE), learned::toJava);
        assertTrue(learned.policy().rules().getFirst().calls().size() < 120, learned::toJava);
        assertNotEquals(
                new Exit.Exited(0),
                overHost()
                        .seccomp(learned.policy())
                        .capture("unshare", "--uts", "true")
                        .exit());
        assertRefuses(learned.policy(), "unshare", 0x0400_0000);
        assertRefuses(learned.policy(), "mount");
    }

    @Test
    void valuesOfArgumentsThatChooseAreLearnedAndOthersRefused() throws Exception {
        var learned =
                recorded(Recording.begin(), List.of(PYTHON, "-c", SOCKETS)).learned();
        assertAllows(learned.policy(), "socket", 1);
        assertAllows(learned.policy(), "socket", 2);
        assertRefuses(learned.policy(), "socket", 16);
        assertAllows(learned.policy(), "close", 77);
        assertEquals(Set.of(), learned.unknown());
        var netlink = overHost()
                .seccomp(learned.policy())
                .capture(PYTHON, "-c", SOCKETS + "socket.socket(socket.AF_NETLINK)");
        assertTrue(netlink.errorText().contains("PermissionError"), netlink::errorText);
    }

    @Test
    void manyValuesAreNoChoiceAndOtherArgumentsAreLearnedIfOneSaysSo() throws Exception {
        var few = recorded(Recording.begin().mostValues(1), List.of(PYTHON, "-c", SOCKETS));
        assertAllows(few.learned().policy(), "socket", 40);
        var more = recorded(Recording.begin().learning(Syscall.SOCKET, 1), List.of(PYTHON, "-c", SOCKETS));
        assertRefuses(more.learned().policy(), "socket", 1, 77);
        assertThrows(IllegalArgumentException.class, () -> Recording.begin().learning(Syscall.CLOSE, 6));
        assertThrows(IllegalArgumentException.class, () -> Recording.begin().mostValues(-1));
    }

    @Test
    void severalRunsMergeAlsoAtOnce() throws Exception {
        var recording = Recording.begin();
        try (var first = overHost()
                        .seccomp(recording.policy())
                        .stdout(Stdio.discard())
                        .start("ls");
                var second = overHost()
                        .seccomp(recording.policy())
                        .stdout(Stdio.discard())
                        .start("uname")) {
            first.waitFor().orThrow();
            second.waitFor().orThrow();
        }
        assertAllows(recording.learned().policy(), "uname");
        assertAllows(recording.learned().policy(), "getdents64");
        assertRefuses(recording.learned().policy(), "clone", 17);
        assertRefuses(recording.learned().policy(), "vfork");
    }

    @Test
    void aForkIsLearnedAndWhetherItMakesNamespaces() throws Exception {
        var recording = recorded(Recording.begin(), List.of("/bin/sh", "-c", "true | true"));
        assertAllows(recording.learned().policy(), "clone", 17);
        assertRefuses(recording.learned().policy(), "clone", 0x1000_0011);
        assertRefuses(recording.learned().policy(), "clone3");
    }

    @Test
    void theJsonMeansTheSame() throws Exception {
        var learned =
                recorded(Recording.begin(), List.of(PYTHON, "-c", SOCKETS)).learned(Action.killProcess());
        var read = SeccompProfile.parse(learned.toJson()).resolve(SeccompProfile.Target.host(Set.of()));
        for (var call : Syscall.values()) {
            if (call.number(Arch.host()).isPresent()) {
                for (long arg : new long[] {0, 1, 2, 16, 38}) {
                    assertEquals(
                            learned.policy()
                                    .evaluate(Arch.host(), call, arg)
                                    .action()
                                    .isAllowed(),
                            read.policy()
                                    .evaluate(Arch.host(), call, arg)
                                    .action()
                                    .isAllowed(),
                            call::kernelName);
                }
            }
        }
    }

    @Test
    void theJavaCompilesToTheSamePolicy() throws Exception {
        var learned =
                recorded(Recording.begin(), List.of(PYTHON, "-c", SOCKETS)).learned();
        assertTrue(learned.toJava().contains(".allow(SOCKET, arg(0).is(1))"), learned::toJava);
        assertSame(learned.policy(), compiled(learned, directory));
        assertEquals(learned.policy(), compiled(learned, directory));
        assertThrows(IllegalArgumentException.class, () -> learned.toJava("no name"));
    }

    private static Seccomp compiled(Learned learned, Path directory) throws Exception {
        var source = new SimpleJavaFileObject(URI.create("mem:///Learnt.java"), SimpleJavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return learned.toJava("Learnt");
            }
        };
        var compiler = ToolProvider.getSystemJavaCompiler();
        String path = Path.of(Seccomp.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI()) + ":"
                + Path.of(Arch.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI());
        var options = List.of("-d", directory.toString(), "-cp", path, "-proc:none");
        assertTrue(
                compiler.getTask(null, null, null, options, null, List.of(source))
                        .call(),
                learned.toJava("Learnt"));
        try (var loader =
                new URLClassLoader(new URL[] {directory.toUri().toURL()}, LearningTest.class.getClassLoader())) {
            var method = loader.loadClass("Learnt").getDeclaredMethod("policy");
            method.setAccessible(true);
            return (Seccomp) method.invoke(null);
        }
    }

    /** Learns as somebody without privileges. */
    static final class Rootless {
        private Rootless() {}

        public static void main(String[] args) throws Exception {
            var recording = Recording.begin();
            var container = overHost().newUser().stdout(Stdio.discard());
            for (int i = 0; i < 2; i++) {
                container.seccomp(recording.policy()).run("ls", "/").orThrow();
            }
            container.seccomp(recording.learned().policy()).run("ls", "/").orThrow();
            System.out.println("learned " + recording.learned().counts().containsKey(Syscall.GETDENTS64));
        }
    }

    @Test
    void anOrdinaryUserLearnsToo() throws Exception {
        var ended = JavaAs.user(65534, 65534, directory).run(Rootless.class.getName());
        assertEquals("learned true", ended.output().strip());
        assertEquals(0, ended.code());
    }
}
