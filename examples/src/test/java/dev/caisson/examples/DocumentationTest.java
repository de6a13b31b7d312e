// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.NeedsRoot;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the documents show compiles, and what they say to run, runs. */
class DocumentationTest {
    private static final Path TOP = Path.of("").toAbsolutePath().getParent();
    private static final Pattern JAVA = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final Pattern SNIPPET = Pattern.compile("\\{@snippet :\n(.*?)\n \\* }\n \\*\n", Pattern.DOTALL);
    private static final Pattern CLASS = Pattern.compile("public class (\\w+)");

    /** What a reader of a fragment has imported and at hand. */
    private static final String BEFORE = """
            import static dev.caisson.linux.ByteUnit.*;
            import static dev.caisson.linux.Errno.*;
            import static dev.caisson.linux.Syscall.*;
            import static dev.caisson.seccomp.Arg.arg;
            import dev.caisson.*;
            import dev.caisson.cgroups.*;
            import dev.caisson.cgroups.spec.*;
            import dev.caisson.linux.*;
            import dev.caisson.overlay.*;
            import dev.caisson.overlay.changes.*;
            import dev.caisson.overlay.store.*;
            import dev.caisson.seccomp.*;
            import dev.caisson.spec.*;
            import java.io.*;
            import java.nio.file.*;
            import java.time.Duration;
            import java.util.concurrent.Flow;
            class %s {
                Path root, data, submission, token;
                Container container;
                ContainerBuilder builder;
                Flow.Subscriber<CgroupEvent> subscriber;
                Flow.Subscriber<Pressure.Event> alarm;
                void shown() throws Exception {
            """;

    @TempDir
    Path work;

    private static List<Path> documents() throws IOException {
        try (Stream<Path> files = Files.walk(TOP)) {
            return files.filter(f -> f.getFileName().toString().endsWith(".md"))
                    .filter(f -> !("/" + TOP.relativize(f)).matches(".*/(\\.|target/).*"))
                    .sorted()
                    .toList();
        }
    }

    private static String compiled(Path directory, List<Path> sources) throws IOException {
        var compiler = ToolProvider.getSystemJavaCompiler();
        var said = new java.io.StringWriter();
        try (var files = compiler.getStandardFileManager(null, Locale.ROOT, StandardCharsets.UTF_8)) {
            var options = List.of(
                    "-proc:none", "-d", directory.toString(), "-classpath", System.getProperty("java.class.path"));
            boolean fine = compiler.getTask(
                            said, files, null, options, null, files.getJavaFileObjectsFromPaths(sources))
                    .call();
            return fine ? "" : said.toString();
        }
    }

    @Test
    void everyPieceOfJavaInTheDocumentsCompiles() throws Exception {
        var sources = new ArrayList<Path>();
        for (Path document : documents()) {
            var pieces = JAVA.matcher(Files.readString(document));
            for (int n = 1; pieces.find(); n++) {
                String piece = pieces.group(1);
                var whole = CLASS.matcher(piece);
                // So that the compiler's messages name the document.
                String name = TOP.relativize(document).toString().replaceAll("\\W+", "_") + "_" + n;
                Path directory = Files.createDirectories(work.resolve(name));
                if (whole.find()) {
                    sources.add(Files.writeString(directory.resolve(whole.group(1) + ".java"), piece));
                } else {
                    sources.add(Files.writeString(
                            directory.resolve(name + ".java"), BEFORE.formatted(name) + piece + "\n}}\n"));
                }
            }
        }
        String tour = Files.readString(TOP.resolve("core/src/main/java/module-info.java"));
        var steps = SNIPPET.matcher(tour);
        for (int n = 1; steps.find(); n++) {
            String name = "tour_" + n;
            String piece = steps.group(1).replaceAll("(?m)^ \\*", "");
            sources.add(Files.writeString(work.resolve(name + ".java"), BEFORE.formatted(name) + piece + "\n}}\n"));
        }
        assertTrue(sources.size() > 10, sources.toString());
        assertEquals("", compiled(work, sources));
    }

    @NeedsRoot
    @Test
    void theCompleteProgramOfTheReadmeDoesWhatItSays() throws Exception {
        var pieces = JAVA.matcher(Files.readString(TOP.resolve("README.md")));
        String program = pieces.results()
                .map(m -> m.group(1))
                .filter(p -> CLASS.matcher(p).find())
                .findFirst()
                .orElseThrow();
        assertEquals("", compiled(work, List.of(Files.writeString(work.resolve("Hello.java"), program))));
        var process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        work + java.io.File.pathSeparator + System.getProperty("java.class.path"),
                        "Hello")
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals("I am PID 2 of sandbox\nexit code 3\n", output);
    }

    @Test
    void theFirstCommandOfTheReadmeIsShortAndPlain() throws IOException {
        String readme = Files.readString(TOP.resolve("README.md"));
        String first = readme.substring(readme.indexOf("```sh\n") + 6)
                .lines()
                .findFirst()
                .orElseThrow();
        assertTrue(first.startsWith("./caisson run -- ") && first.length() < 100 && !first.contains("\\"), first);
    }

    @Test
    void everyClassThatTheArchitectureNamesExists() throws IOException {
        var classes = new TreeSet<String>();
        try (Stream<Path> files = Files.walk(TOP)) {
            files.map(f -> f.getFileName().toString())
                    .filter(n -> n.endsWith(".java"))
                    .forEach(n -> classes.add(n.substring(0, n.length() - 5)));
        }
        var missing = new TreeSet<String>();
        Pattern.compile("`([A-Z][a-z]\\w+)(?=[`.(])")
                .matcher(Files.readString(TOP.resolve("docs/architecture.md")))
                .results()
                .map(m -> m.group(1))
                .filter(name -> !classes.contains(name))
                .forEach(missing::add);
        assertEquals(Set.of(), missing);
    }

    @Test
    void everyLinkLeadsToAFile() throws IOException {
        var broken = new TreeSet<String>();
        for (Path document : documents()) {
            Pattern.compile("]\\(([^)#:]+)(#[^)]*)?\\)")
                    .matcher(Files.readString(document))
                    .results()
                    .map(m -> m.group(1))
                    .filter(link -> !Files.exists(document.resolveSibling(link)))
                    .forEach(link -> broken.add(TOP.relativize(document) + " -> " + link));
        }
        assertEquals(Set.of(), broken);
    }
}
