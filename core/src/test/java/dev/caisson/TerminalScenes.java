// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.Typist.Key;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What is seen of terminals in every kind of container, as root and as an ordinary user. */
final class TerminalScenes {
    private static final Path SLASH = Path.of("/");
    private static final String PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

    private TerminalScenes() {}

    /** The kinds of containers, which come by their terminals in different ways. */
    enum Kind {
        BUILDER,
        SANDBOX,
        INIT,
        BARE,
        BARE_WITH_NAMESPACES;

        ContainerBuilder builder() {
            return switch (this) {
                case BUILDER -> overHost();
                case SANDBOX -> Container.sandbox().lower(SLASH);
                case INIT -> overHost().init();
                case BARE -> bare();
                case BARE_WITH_NAMESPACES ->
                    bare().newUser().newPid().newMount().init();
            };
        }

        boolean hasOwnDevices() {
            return this != BARE && this != BARE_WITH_NAMESPACES;
        }
    }

    /** Starts a command in a terminal of 91 columns and 17 rows. */
    @FunctionalInterface
    interface Starter {
        ContainerProcess start(Map<String, String> environment, String... command) throws IOException;

        static Starter of(Kind kind) {
            return (environment, command) ->
                    kind.builder().environment(environment).terminal(91, 17).start(command);
        }

        /** {@return one of further commands in a container} */
        static Starter in(Container container) {
            return (environment, command) -> container
                    .command(command)
                    .environment(environment)
                    .terminal(91, 17)
                    .start();
        }

        default ContainerProcess script(String script) throws IOException {
            return start(Map.of(), "/bin/sh", "-c", script);
        }
    }

    static ContainerBuilder bare() {
        return Container.bare().environment("PATH", PATH);
    }

    static Container start(ContainerBuilder builder, String script) throws IOException {
        return builder.terminal(91, 17).start("/bin/sh", "-c", script);
    }

    static String shown(ContainerBuilder builder, String script) throws Exception {
        try (var container = start(builder, script)) {
            return new Typist(container).toTheEnd();
        }
    }

    static void isControlling(Starter starter, boolean hasOwnDevices) throws Exception {
        try (var process =
                starter.script("stty size; echo to it > /dev/tty; test -t 0 && test -t 1 && test -t 2 && tty;"
                        + " stty -a | grep -o '[-]*iutf8'")) {
            String shown = new Typist(process).toTheEnd();
            assertEquals("17 91\nto it\n/dev/pts/N\niutf8\n", shown.replaceFirst("/dev/pts/\\d+", "/dev/pts/N"), shown);
            assertTrue(!hasOwnDevices || shown.contains("/dev/pts/0\n"), shown);
        }
    }

    static void jobControl(Starter starter) throws Exception {
        try (var container = starter.start(Map.of("PS1", "> ", "TERM", "dumb"), "/bin/bash", "--norc", "--noprofile")) {
            var person = new Typist(container);
            person.await("> ");
            assertFalse(person.screen().contains("no job control"), person::screen);
            // Between its quotes a word is not found in what was typed, but in what is written.
            person.type("sh -c 'echo run\"ning\"; exec sleep 111'\n");
            person.await("running");
            person.press(Key.CTRL_C);
            person.await("> ");
            person.type("echo st''atus $?; sh -c 'echo run\"ning\"; exec sleep 222'\n");
            person.await("status 130\nrunning");
            person.press(Key.CTRL_Z);
            person.await("Stopped");
            person.await("> ");
            person.type("jobs; echo li''sted; fg\n");
            person.await("Stopped");
            person.await("listed\nsh -c");
            // The shell has said what it continues a moment before it does.
            person.pressUntil(Key.CTRL_C, "> ");
            person.type("exit 5\n");
            assertEquals(new Exit.Exited(5), container.waitFor());
            var _ = person.toTheEnd();
        }
    }

    static void resize(Starter starter) throws Exception {
        try (var container = starter.script("trap 'stty size; exit 3' WINCH; echo ready; while :; do read x; done")) {
            var person = new Typist(container);
            person.await("ready");
            assertEquals(new Stdio.Terminal(91, 17), container.terminal().size());
            container.terminal().resize(132, 43);
            person.await("43 132");
            assertEquals(new Exit.Exited(3), container.waitFor());
            assertEquals(new Stdio.Terminal(132, 43), container.terminal().size());
            container.terminal().resize(1, 1);
        }
    }

    static void hangUp(Starter starter) throws Exception {
        try (var container = starter.script("trap 'exit 4' HUP; echo ready; while :; do read x || sleep 0.01; done")) {
            new Typist(container).await("ready");
            container.terminal().hangUp();
            assertEquals(new Exit.Exited(4), container.waitFor());
        }
        try (var container = starter.script("trap 'exit 4' HUP; echo ready; while :; do read x || sleep 0.01; done")) {
            assertEquals("ready", new String(container.stdout().readNBytes(5), StandardCharsets.UTF_8));
            container.stdout().close();
            assertEquals(new Exit.Exited(4), container.waitFor());
        }
    }

    static void endOfInput(Starter starter) throws Exception {
        for (String typed : List.of("", "a line\n", "half a line")) {
            try (var container = starter.script("cat; echo $?")) {
                container.stdin().write(typed.getBytes(StandardCharsets.UTF_8));
                container.stdin().close();
                container.stdin().close();
                String screen = new Typist(container).toTheEnd();
                // What is typed appears twice: the terminal echoes it, and cat writes it.
                String expected = typed + typed + "0\n";
                assertEquals(expected, screen.replace("^D\b\b", ""), screen);
                assertTrue(container.waitFor().isSuccess());
            }
        }
    }

    static void furtherCommand(Kind kind) throws Exception {
        try (var container = kind.builder().start("/bin/sleep", "1000")) {
            var starter = Starter.in(container);
            isControlling(starter, kind.hasOwnDevices());
            jobControl(starter);
            resize(starter);
            hangUp(starter);
            endOfInput(starter);
        }
    }

    static void joining(ContainerBuilder builder) throws Exception {
        try (var container = builder.start("/bin/sleep", "1000")) {
            var joining = bare().join(container, Namespace.USER, Namespace.MOUNT, Namespace.PID);
            assertEquals("/dev/pts/0\nroot 620\n", shown(joining, "tty; stat -L -c '%U %a' /proc/self/fd/0"));
        }
    }
}
