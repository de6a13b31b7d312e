// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.Needs;
import dev.caisson.testkit.NeedsRoot;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./caisson run -it} as a person uses it: in a terminal, typing, looking, resizing, and when things go wrong. */
@Timeout(300)
class RunInTerminalTest {
    private static final String SHELL = " --env PS1='inn''er> ' -- bash --norc --noprofile";
    private static final int SOMEBODY = 64_333;

    @TempDir
    Path directory;

    private Path script;

    /** The script itself, over a jar that leads to the classes of this build: it finds nothing newer than that. */
    @BeforeEach
    void installScript() throws IOException {
        install(System.getProperty("java.class.path"));
    }

    private void install(String classPath) throws IOException {
        Path top = Path.of("").toAbsolutePath().getParent();
        script = Files.copy(top.resolve("caisson"), directory.resolve("caisson"));
        for (String module : List.of("bindings-linux", "seccomp", "cgroups", "overlay", "core", "examples")) {
            Files.createDirectories(directory.resolve(module).resolve("src/main"));
            Files.createFile(directory.resolve(module).resolve("pom.xml"));
        }
        Files.createDirectories(directory.resolve("bindings-linux/src/generated"));
        Files.createFile(directory.resolve("pom.xml"));
        var manifest = new Manifest();
        var main = manifest.getMainAttributes();
        main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        main.put(Attributes.Name.MAIN_CLASS, Main.class.getName());
        main.putValue("Enable-Native-Access", "ALL-UNNAMED");
        main.put(
                Attributes.Name.CLASS_PATH,
                Stream.of(classPath.split(File.pathSeparator))
                        .map(entry -> Path.of(entry).toUri().toString())
                        .collect(Collectors.joining(" ")));
        Path jar = Files.createDirectories(directory.resolve("examples/target")).resolve("caisson-examples.jar");
        new JarOutputStream(Files.newOutputStream(jar), manifest).close();
    }

    private String caisson() {
        return "JAVA_HOME=" + System.getProperty("java.home") + " " + script;
    }

    /** {@return a window in which the modes of its terminal stand in a file} */
    private Tmux window() throws IOException, InterruptedException {
        var window = new Tmux(directory, 100, 30);
        window.type("stty -g > " + directory + "/before");
        window.await("outer> ");
        return window;
    }

    private void assertRestored(Tmux window, int code) throws IOException, InterruptedException {
        window.await("outer> ");
        window.type("echo the co''de is $?; stty -g | cmp - " + directory + "/before && echo rest''ored");
        window.await("the code is " + code + "\nrestored");
    }

    private static ProcessHandle jvm(Tmux window) throws IOException, InterruptedException {
        return window.processes()
                .filter(p -> p.info().command().filter(c -> c.endsWith("/java")).isPresent())
                .findFirst()
                .orElseThrow();
    }

    @Test
    @Needs(Need.TMUX)
    void aShellIsComfortable() throws Exception {
        try (var window = window()) {
            window.type(caisson() + " run -it" + SHELL);
            comfort(window);
            assertRestored(window, 7);
        }
    }

    @Test
    @NeedsRoot
    @Needs({Need.TMUX, Need.SETPRIV})
    void aShellIsComfortableForAnOrdinaryUser() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path copies = Files.createDirectory(directory.resolve("copies"));
        Path home = directory;
        directory = Files.createDirectory(directory.resolve("home"));
        install(JavaAs.readable(copies));
        directory = home;
        try (var window = window()) {
            window.type("setpriv --reuid=" + SOMEBODY + " --regid=" + SOMEBODY + " --clear-groups env " + caisson()
                    + " run -it" + SHELL);
            comfort(window);
            assertRestored(window, 7);
        }
    }

    private static void comfort(Tmux window) throws Exception {
        window.await("inner> ");
        assertFalse(window.screen().contains("no job control"));
        window.type("stty size; tty; echo $TERM; printf '\\033[31mr''ed\\033[0m gr''üße\\n'");
        window.await("30 100\n/dev/pts/0\ntmux");
        window.await("red grüße\n");
        assertTrue(window.colours().contains("\033[31mred"), window.colours());
        window.resize(120, 35);
        window.type("until test \"$(stty size)\" = '35 120'; do sleep 0.1; done; echo re''sized");
        window.await("\nresized");
        window.type("sh -c 'echo run\"ning\"; exec sleep 111'");
        window.await("running");
        window.press("C-c");
        window.await("inner> ");
        window.type("echo st''atus $?; sh -c 'echo run\"ning\"; exec sleep 222'");
        window.await("status 130\nrunning");
        window.press("C-z");
        window.await("Stopped");
        window.type("kill %1; wait; ec''ho gone");
        window.await("gone");
        // The line editor of the shell: back by a word, and forward to the end.
        window.press("e");
        for (String key : List.of("c", "h", "o", "Space", "w", "o", "d", "Left", "r", "C-e", "s")) {
            window.press(key);
        }
        window.press("Enter");
        window.await("\nwords\n");
        window.type("exit 7");
    }

    /** Ended by its own JVM, a further command leaves the container to go on, and the terminal as it was. */
    @Test
    @Needs(Need.TMUX)
    void aShellInADetachedContainerIsComfortableToo() throws Exception {
        String detached = "env JDK_JAVA_OPTIONS=-Dcaisson.state=" + directory + "/state " + caisson();
        try (var window = window()) {
            window.type(detached + " run --detach --name box -- sleep 10''00");
            window.await("\nbox\n");
            try {
                window.type(detached + " exec -it box -- bash --norc --noprofile");
                window.await("# ");
                window.type("stty size; tty; ps -o co''mm= -p 1");
                window.await("30 100\n/dev/pts/0");
                window.type("sh -c 'echo run\"ning\"; exec sleep 111'");
                window.await("running");
                window.press("C-c");
                window.await("# ");
                window.type("exit 9");
                assertRestored(window, 9);
                window.type(detached + " exec -it box -- sh -c 'echo run\"ning\"; exec sleep 111'");
                window.await("running");
                assertTrue(jvm(window).destroyForcibly());
                assertRestored(window, 137);
            } finally {
                var removed =
                        new ProcessBuilder("sh", "-c", detached + " stop box; exec " + detached + " rm box").start();
                assertTrue(removed.waitFor(60, TimeUnit.SECONDS));
            }
        }
    }

    @Test
    @Needs(Need.TMUX)
    void theTerminalIsRestoredWhenTheJvmIsKilled() throws Exception {
        try (var window = window()) {
            window.type(caisson() + " run -it" + SHELL);
            window.await("inner> ");
            assertTrue(jvm(window).destroyForcibly());
            assertRestored(window, 137);
        }
    }

    @Test
    @Needs(Need.TMUX)
    void theTerminalIsRestoredWhenEitherProcessIsToldToEnd() throws Exception {
        try (var window = window()) {
            window.type(caisson() + " run -it" + SHELL);
            window.await("inner> ");
            assertTrue(jvm(window).destroy());
            assertRestored(window, 143);
            window.type(caisson() + " run -it" + SHELL);
            window.await("inner> ");
            assertTrue(jvm(window).parent().orElseThrow().destroy());
            assertRestored(window, 143);
            assertEquals(0, window.processes().filter(ProcessHandle::isAlive).count());
        }
    }

    @Test
    @Needs(Need.TMUX)
    void theTerminalIsRestoredWhenTheCommandIsNotThere() throws Exception {
        try (var window = window()) {
            window.type(caisson() + " run -it -- nosuch");
            window.await("\ncaisson: find nosuch in PATH");
            assertRestored(window, 125);
        }
    }

    @Test
    @Needs(Need.TMUX)
    void closingTheWindowEndsTheContainer() throws Exception {
        ProcessHandle jvm;
        try (var window = window()) {
            window.type(caisson() + " run -it" + SHELL);
            window.await("inner> ");
            jvm = jvm(window);
        }
        assertFalse(jvm.onExit().get(60, TimeUnit.SECONDS).isAlive());
    }

    @Test
    @Needs(Need.TMUX)
    void withATerminalAloneNothingIsTypedAndCtrlCEndsIt() throws Exception {
        try (var window = window()) {
            window.type(caisson() + " run -t -- sh -c 'stty size; echo wait\"ing\"; read word; echo not reached'");
            window.await("30 100\nwaiting");
            window.type("nothing");
            window.press("C-c");
            assertRestored(window, 130);
            assertFalse(window.screen().contains("\nnot reached"), window.screen());
        }
    }

    @Test
    @Needs(Need.TMUX)
    void withTheInputAloneItIsAPipe() throws Exception {
        try (var window = window()) {
            window.type(caisson()
                    + " run -i -- sh -c 'test -t 0 || echo pi\"ped\"; read word; echo the wo\"rd\" is $word; cat'");
            window.await("piped");
            window.type("typed");
            window.await("the word is typed");
            window.press("C-d");
            assertRestored(window, 0);
        }
    }

    private String piped(String input, String... arguments) throws IOException, InterruptedException {
        var builder = new ProcessBuilder(Stream.concat(Stream.of(script.toString()), Stream.of(arguments))
                        .toList())
                .redirectErrorStream(true);
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        var process = builder.start();
        try (var typed = process.getOutputStream()) {
            typed.write(input.getBytes(StandardCharsets.UTF_8));
        } catch (IOException nobodyReads) {
            // Then it has said why.
        }
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return said + process.waitFor();
    }

    @Test
    void withoutATerminalHereTheOptionsDoWhatTheyCan() throws Exception {
        assertEquals("a\nb\n3", piped("a\nb\n", "run", "-i", "--", "sh", "-c", "cat; exit 3"));
        assertEquals("24 80\r\n4", piped("", "run", "-t", "--", "sh", "-c", "stty size; exit 4"));
        assertEquals(
                "caisson: -t with -i: the input is not a terminal; leave -t out for a pipe or a file\n125",
                piped("", "run", "-it", "--", "true"));
    }
}
