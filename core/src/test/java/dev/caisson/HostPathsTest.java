// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.overlay.Overlay;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Paths of the host are the bytes that they are, whatever encoding the JVM was started with. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class HostPathsTest {
    /** Two bytes that are nothing in UTF-8, and a letter that is two bytes there. */
    private static final String ODD = "%FF%FE%C3%A4";

    /**
     * Makes the same tree under the odd name and under all that a lossy encoding makes of it, {@code decoy} in its files. The
     * path of the layer is longer than fsconfig(2) takes.
     */
    private static final String TREES = """
            set -e
            cd "$0"
            long=$(printf 'l%.0s' $(seq 220))
            tree() {
                mkdir -p "$1/$long$1/layer/usr" "$1/bind"
                mkdir "$1/upper$1"
                for link in bin lib lib64; do ln -s usr/$link "$1/$long$1/layer/$link"; done
                for file in "$long$1/layer/layered" bind/bound copy in; do echo $2 > "$1/$file"; done
            }
            r=$(printf '\\357\\277\\275') a=$(printf '\\303\\244')
            tree "$(printf '\\377\\376\\303\\244')" right
            for decoy in "??$a" "????" "$r$r$a" "$r$r$r$r" "$a"; do tree "$decoy" decoy; done
            """;

    /** All that is in the decoys, one line each. */
    private static final String DECOYS =
            "cd \"$0\"; for d in *; do case $d in \"$(printf '\\377\\376\\303\\244')\") ;; *) find \"./$d\" -printf"
                    + " '%p %y %m %s %T@ %C@\\n' | LC_ALL=C sort;; esac; done | od -c";

    @TempDir
    Path directory;

    @BeforeEach
    void trees() throws Exception {
        Files.setAttribute(directory, "unix:mode", 0755);
        sh(TREES);
    }

    private String sh(String script) throws IOException, InterruptedException {
        var shell = new ProcessBuilder("/bin/sh", "-c", script, directory.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(shell.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        assertEquals(0, shell.waitFor(), said);
        return said;
    }

    @ParameterizedTest
    @CsvSource({"C, builder", "C, sandbox", "C.UTF-8, builder", "C.UTF-8, sandbox"})
    void everyPathOfAContainerIsExact(String locale, String preset) throws Exception {
        String before = sh(DECOYS);
        var jvm = JavaAs.oneself()
                .behind("env", "LC_ALL=" + locale)
                .run(Everything.class.getName(), directory.toString(), preset);
        assertEquals("done", jvm.output());
        assertEquals(before, sh(DECOYS));
    }

    /** Uses each way in which a path of the host gets to the kernel. */
    static final class Everything {
        private Everything() {}

        public static void main(String[] args) throws Exception {
            Path base = find(Path.of(args[0]), ODD);
            Path layer = find(base, "lll" + ".*").resolve("layer");
            Path upper = find(base, "upper" + ODD);
            var builder = (args[1].equals("sandbox") ? Container.sandbox() : Container.builder())
                    .lower(layer)
                    .bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY);
            var container = builder.upper(upper)
                    .bind(base.resolve("bind"), "/bound")
                    .volume(base.resolve("volume"), "/volume")
                    .stdin(Stdio.fromFile(base.resolve("in")))
                    .stdout(Stdio.toFile(base.resolve("out")))
                    .stderr(Stdio.appendTo(base.resolve("out")));
            try (var store = LayerStore.open(base.resolve("store"));
                    var running = container.start(
                            "/bin/sh", "-c", "cat - /layered /bound/bound; echo x > /volume/made; echo y > /written")) {
                running.waitFor().orThrow();
                same("right\nright\nright\n", Files.readString(base.resolve("out")));
                same("x\n", Files.readString(base.resolve("volume/made")));
                same("y\n", Files.readString(upper.resolve("written")));
                var _ = find(base, "upper" + ODD + "\\.work");
                running.copyIn(base.resolve("copy"), "/copied");
                same("right\n", Files.readString(running.fs().getPath("/copied")));
                running.copyOut("/layered", base.resolve("copied-out"));
                same("right\n", Files.readString(base.resolve("copied-out")));
                same(
                        "2",
                        Long.toString(running.changes()
                                .filter(c -> c.path().matches("/copied|/written"))
                                .count()));
                var committed = running.commit(store, "app");
                same(layer.toString(), committed.outside().getFirst().toString());
                if (!committed.outside().getFirst().equals(layer)) {
                    throw new AssertionError("the record of the layer below names another");
                }
                var _ = store.identify(committed);
            }
            try (var store = LayerStore.open(base.resolve("store"));
                    var branch = store.branch(store.referenced("app").orElseThrow())) {
                var again = builder.on(branch).capture("/bin/cat", "/layered", "/copied", "/written");
                same("right\nright\ny", again.orThrow().text());
            }
            try (var mounted = Overlay.of(layer).mount()) {
                same("right\n", Files.readString(mounted.path().resolve("layered")));
            }
            System.out.println("done");
        }

        private static void same(String expected, String actual) {
            if (!expected.equals(actual)) {
                throw new AssertionError("expected " + expected + ", was " + actual);
            }
        }

        /** By listing, since a JVM with another encoding cannot make such a path of a string. */
        private static Path find(Path directory, String name) throws IOException {
            try (var all = Files.list(directory)) {
                Optional<Path> found = all.filter(
                                path -> path.toUri().getRawPath().matches(".*/" + name + "/?"))
                        .findFirst();
                return found.orElseThrow(() -> new AssertionError("no " + name + " in " + directory));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"C", "C.UTF-8"})
    void messagesAndPlansShowEveryByteOfAPath(String locale) throws Exception {
        var jvm = JavaAs.oneself().behind("env", "LC_ALL=" + locale).run(Refused.class.getName(), directory.toString());
        assertEquals("done", jvm.output());
    }

    /** Is refused for paths of several kinds. */
    static final class Refused {
        private Refused() {}

        public static void main(String[] args) throws Exception {
            Path base = Everything.find(Path.of(args[0]), ODD);
            Path layer = Everything.find(base, "lll" + ".*").resolve("layer");
            var builder = Container.builder().lower(layer);
            shows(builder.bind(base.resolve("bind"), "/bound").explain("true").toString());
            for (var refused : List.of(
                    Container.builder().lower(base.resolve("missing")),
                    builder.bind(base.resolve("missing"), "/bound"),
                    builder.volume(base.resolve("in"), "/volume"),
                    builder.upper(base.resolve("in")),
                    builder.stdin(Stdio.fromFile(base.resolve("missing"))))) {
                try {
                    refused.run("true");
                    throw new AssertionError("ran");
                } catch (ContainerException expected) {
                    shows(expected.getMessage());
                }
            }
            try {
                var _ = Container.builder().lower(layer).upper(layer.getParent());
                throw new AssertionError("took it");
            } catch (IllegalArgumentException expected) {
                shows(expected.getMessage());
            }
            System.out.println("done");
        }

        /** As text and bytes, or, in a call, as strace does. */
        private static void shows(String message) {
            if (!message.contains("/\\xff\\xfe\u00e4/") && !message.contains("/\\377\\376\\303\\244/")
                    || message.contains("\ufffd")) {
                throw new AssertionError(message);
            }
        }
    }

    /** The list of mounts is read for the tree that becomes the root and, by who may make cgroups, for these. */
    @ParameterizedTest
    @CsvSource({"C, --mount", "C.UTF-8, --mount", "C, --user", "C.UTF-8, --user"})
    void aMountAtAnOddPlaceOfTheHostDisturbsNothing(String locale, String namespace) throws Exception {
        Need.UNSHARE.orSkip();
        String mounting = "for d in \"$0\"/*; do mount -t tmpfs tmpfs \"$d\"; echo > \"$d/mounted\"; done; exec \"$@\"";
        var jvm = JavaAs.oneself()
                .behind("/bin/sh", "-c", mounting, directory.toString())
                .behind(
                        "env",
                        "LC_ALL=" + locale,
                        "unshare",
                        "--mount",
                        namespace.equals("--user") ? "--map-root-user" : namespace)
                .run(OverHost.class.getName(), directory.toString(), namespace);
        assertEquals("6 and 6", jvm.output());
    }

    static final class OverHost {
        private OverHost() {}

        public static void main(String[] args) throws Exception {
            var itself = List.of(new IdMap.Range(0, 0, 1));
            var builder = Container.builder().newUser(new IdMap(itself, itself)).lower(Path.of("/"));
            boolean privileged = args[1].equals("--mount");
            var output = (privileged ? builder.pidsMax(100) : builder)
                    .capture("/bin/sh", "-c", "ls -d " + args[0] + "/*/mounted | wc -l");
            try (var mounted = Files.list(Path.of(args[0]))) {
                System.out.println(output.orThrow().text() + " and "
                        + mounted.filter(p -> Files.exists(p.resolve("mounted")))
                                .count());
            }
        }
    }

    @Test
    void aPathOfAContainersFilesIsNotOneOfTheHost() throws Exception {
        try (var container = Samples.overHost().start("/bin/true")) {
            container.waitFor().orThrow();
            Path inside = container.fs().getPath("/etc");
            var builder = Container.builder();
            assertThrows(IllegalArgumentException.class, () -> builder.lower(inside));
            assertThrows(IllegalArgumentException.class, () -> builder.bind(inside, "/x"));
            assertThrows(IllegalArgumentException.class, () -> builder.stdout(Stdio.toFile(inside)));
            assertThrows(IllegalArgumentException.class, () -> container.copyIn(inside, "/x"));
            assertTrue(Files.isDirectory(inside));
        }
    }
}
