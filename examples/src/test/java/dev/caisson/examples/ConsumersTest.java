// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.Need;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Builds and runs what somebody else would build on the packaged jars; all of it lies in src/consumers. */
class ConsumersTest {
    private static final Path SOURCES = Path.of("src/consumers").toAbsolutePath();
    private static final String HELLO = "hello from a container";
    private static final int MINUTES = 5;
    /** What a user has of ours, and what that depends on; no annotations, which are there at compile time alone. */
    private static final List<String> JARS = List.of(
            "caisson-",
            "caisson-bindings-linux-",
            "caisson-seccomp-",
            "caisson-cgroups-",
            "caisson-overlay-",
            "jackson-core-");

    @TempDir
    Path work;

    private static List<Path> jars() {
        var entries = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(Path::of)
                .toList();
        var jars = new ArrayList<Path>();
        for (String begin : JARS) {
            entries.stream()
                    .filter(e -> e.getFileName().toString().matches(begin + "\\d.*\\.jar"))
                    .filter(e -> !e.toString().endsWith("-tests.jar"))
                    .findFirst()
                    .ifPresent(jars::add);
        }
        Need.PACKAGED_JARS.orSkip(jars.size() == JARS.size(), "needs packaged jars: run the phase verify, not test");
        return jars;
    }

    private static String path(List<Path> entries) {
        return entries.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    }

    private static String tool(String name) {
        return Path.of(System.getProperty("java.home"), "bin", name).toString();
    }

    private record Ended(int code, String output) {}

    private Ended run(String... command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command)
                .directory(work.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(MINUTES, TimeUnit.MINUTES));
        return new Ended(process.exitValue(), output.strip());
    }

    private String succeed(String... command) throws IOException, InterruptedException {
        var ended = run(command);
        assertEquals(0, ended.code, String.join(" ", command) + "\n" + ended.output);
        return ended.output;
    }

    /** Compiles with all warnings as errors: what our jars lack would be one. */
    private Path compile(String pathOption, List<Path> jars, Path... sources) throws Exception {
        Path classes = work.resolve("classes");
        var command = new ArrayList<>(List.of(
                tool("javac"),
                "--release",
                "25",
                "-Xlint:all",
                "-Werror",
                pathOption,
                path(jars),
                "-d",
                classes.toString()));
        for (Path source : sources) {
            command.add(source.toString());
        }
        assertEquals("", succeed(command.toArray(String[]::new)));
        return classes;
    }

    @Test
    void aProgramOnTheClassPathCompilesAndRuns() throws Exception {
        var jars = new ArrayList<>(jars());
        jars.add(compile("-classpath", jars, SOURCES.resolve("java/consumer/Main.java")));
        assertEquals(
                HELLO, succeed(tool("java"), "--enable-native-access=ALL-UNNAMED", "-cp", path(jars), "consumer.Main"));
    }

    @Test
    void aModuleThatRequiresCaissonAloneCompilesAndRuns() throws Exception {
        var jars = new ArrayList<>(jars());
        jars.add(module(jars));
        assertEquals(
                HELLO,
                succeed(
                        tool("java"),
                        "--enable-native-access=dev.caisson.linux",
                        "--module-path",
                        path(jars),
                        "--module",
                        "consumer/consumer.Main"));
    }

    private Path module(List<Path> jars) throws Exception {
        return compile(
                "--module-path",
                jars,
                SOURCES.resolve("module/module-info.java"),
                SOURCES.resolve("java/consumer/Main.java"));
    }

    @Test
    void anImageOfThatModuleRunsWithoutAJdk() throws Exception {
        var jars = new ArrayList<>(jars());
        jars.add(module(jars));
        Path image = work.resolve("image");
        succeed(
                tool("jlink"),
                "--module-path",
                path(jars),
                "--add-modules",
                "consumer",
                "--launcher",
                "hello=consumer/consumer.Main",
                "--add-options=--enable-native-access=dev.caisson.linux",
                "--output",
                image.toString());
        assertEquals(HELLO, succeed(image.resolve("bin/hello").toString()));
        String modules = succeed(image.resolve("bin/java").toString(), "--list-modules");
        assertTrue(modules.contains("dev.caisson.linux") && !modules.contains("java.compiler"), modules);
    }

    @Test
    void aKotlinProgramCompilesAndRuns() throws Exception {
        var jars = new ArrayList<>(jars());
        var compiler = kotlinCompiler();
        Path classes = work.resolve("classes");
        // What the compiler itself does is not our warning.
        String said = succeed(
                tool("java"),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                path(compiler),
                "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler",
                "-no-stdlib",
                "-no-reflect",
                "-Werror",
                "-jvm-target",
                "25",
                "-jdk-home",
                System.getProperty("java.home"),
                "-classpath",
                path(jars) + File.pathSeparator + path(standardLibrary(compiler)),
                "-d",
                classes.toString(),
                SOURCES.resolve("kotlin/Main.kt").toString());
        assertEquals("", said);
        jars.add(classes);
        jars.addAll(standardLibrary(compiler));
        assertEquals(
                HELLO,
                succeed(tool("java"), "--enable-native-access=ALL-UNNAMED", "-cp", path(jars), "consumer.MainKt"));
    }

    private static List<Path> standardLibrary(List<Path> compiler) {
        return compiler.stream()
                .filter(jar -> jar.getFileName().toString().matches("(kotlin-stdlib|annotations)-\\d.*"))
                .toList();
    }

    /** {@return the jars of the compiler; skips the test where they cannot be had} */
    private List<Path> kotlinCompiler() throws Exception {
        Path jars = Path.of("target/kotlin-compiler").toAbsolutePath();
        var fetched = run(
                "mvn",
                "-q",
                "-B",
                "-ntp",
                "-f",
                SOURCES.resolve("kotlin/pom.xml").toString(),
                "dependency:copy-dependencies",
                "-DoutputDirectory=" + jars);
        Need.KOTLIN_COMPILER.orSkip(
                fetched.code == 0, "needs a Kotlin compiler, which could not be fetched: " + fetched.output);
        try (var files = Files.list(jars)) {
            return files.filter(f -> f.toString().endsWith(".jar")).sorted().toList();
        }
    }
}
