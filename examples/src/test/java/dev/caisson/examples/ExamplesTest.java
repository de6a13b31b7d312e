// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.NeedsRoot;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each example as a user starts it: in a JVM of its own, as root and as an ordinary user. */
class ExamplesTest {
    @TempDir
    Path directory;

    private record Ended(int code, String output) {}

    private static Ended java(List<String> prefix, String classPath, String... args)
            throws IOException, InterruptedException {
        var command = new ArrayList<>(prefix);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath,
                "dev.caisson.examples.Main"));
        command.addAll(List.of(args));
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        return new Ended(process.exitValue(), output.strip());
    }

    private static Ended java(String... args) throws IOException, InterruptedException {
        return java(List.of(), System.getProperty("java.class.path"), args);
    }

    /** As a user without any privilege: uid 61234 has no name, no home and no entry in /etc/subuid. */
    private Ended asOrdinaryUser(String... args) throws IOException, InterruptedException {
        return java(
                List.of("setpriv", "--reuid=61234", "--regid=61234", "--clear-groups", "--"),
                readableClassPath(),
                args);
    }

    /** The build may lie where only root may look. */
    private String readableClassPath() throws IOException {
        readable(directory);
        var entries = new ArrayList<String>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path source = Path.of(entry);
            if (Files.exists(source)) {
                Path copy =
                        directory.resolve("class-path-" + entries.size() + (Files.isDirectory(source) ? "" : ".jar"));
                if (!Files.exists(copy)) {
                    copy(source, copy);
                }
                entries.add(copy.toString());
            }
        }
        return String.join(File.pathSeparator, entries);
    }

    private static void copy(Path source, Path copy) throws IOException {
        try (var files = Files.walk(source)) {
            for (Path file : files.toList()) {
                Path target = copy.resolve(source.relativize(file).toString());
                readable(Files.copy(file, target));
            }
        }
    }

    private static void readable(Path path) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Test
    void runIsASandboxOverTheHostsRoot() throws Exception {
        Path file = Path.of("/tmp/caisson-example-" + System.nanoTime());
        var ended = java(
                "run",
                "--",
                "sh",
                "-c",
                "echo $$ $(hostname) $(ls /sys/class/net); echo x > " + file + "; cat " + file);
        assertEquals("1 sandbox lo\nx", ended.output());
        assertEquals(0, ended.code());
        assertFalse(Files.exists(file));
    }

    @Test
    void runGivesTheCommandsCodeOrItsSignal() throws Exception {
        assertEquals(7, java("run", "--", "sh", "-c", "exit 7").code());
        assertEquals(137, java("run", "--init", "--", "sh", "-c", "kill -9 $$").code());
        assertEquals(137, java("run", "--timeout", "0.2", "--", "sleep", "100").code());
    }

    @NeedsRoot
    @Test
    void runTakesTheOptionsOfTheBuilder() throws Exception {
        readable(directory);
        Files.writeString(directory.resolve("file"), "bound");
        var ended = java(
                "run",
                "--lower",
                "/",
                "--new-pid",
                "--new-net",
                "--new-uts",
                "--new-ipc",
                "--new-cgroup",
                "--new-time",
                "--bind",
                directory + ":/mnt:ro",
                "--tmpfs",
                "/media",
                "--hostname",
                "box",
                "--user",
                "12:34",
                "--cap-drop",
                "ALL",
                "--memory-max",
                "256M",
                "--cpus",
                "1.5",
                "--pids-max",
                "20",
                "--read-only",
                "--env",
                "A=b",
                "--",
                "sh",
                "-c",
                "echo $(hostname) $(id -u):$(id -g) $(cat /mnt/file) $A; touch /media/x && touch /mnt/x || touch /x");
        assertTrue(ended.output().startsWith("box 12:34 bound b"), ended.output());
        assertEquals(
                2, ended.output().lines().filter(l -> l.contains("Read-only")).count(), ended.output());
    }

    @Test
    void explainPrintsThePlanAndDoesNothing() throws Exception {
        Path file = Path.of("/tmp/caisson-example-" + System.nanoTime());
        var ended = java("explain", "--hostname", "box", "--", "touch", file.toString());
        assertTrue(ended.output().contains("sethostname(\"box\", 3)"), ended.output());
        assertEquals(0, ended.code());
    }

    @Test
    void probeShowsBothSides() throws Exception {
        var ended = java("probe");
        for (String namespace : List.of("mnt", "pid", "net", "ipc", "uts", "user", "cgroup", "time")) {
            assertTrue(ended.output().contains("\n" + namespace + " "), ended.output());
        }
        assertTrue(ended.output().contains(" 365"), ended.output());
    }

    @Test
    void doctorReports() throws Exception {
        assertTrue(java("doctor").output().contains("cgroup layout"));
    }

    @Test
    void badOptionsAreALineNotAStack() throws Exception {
        var ended = java("run", "--memory-max", "lots", "--", "true");
        assertEquals("caisson: --memory-max: \"lots\" is not a size such as 256M", ended.output());
        assertEquals(125, ended.code());
    }

    @NeedsRoot
    @Test
    void anOrdinaryUserNeedsNothingButUserNamespaces() throws Exception {
        var ended = asOrdinaryUser(
                "run", "--", "sh", "-c", "echo $$ $(id -u) $(hostname) $(ls /sys/class/net); cat /etc/shadow");
        assertTrue(ended.output().startsWith("1 0 sandbox lo"), ended.output());
        assertTrue(ended.output().contains("Permission denied"), ended.output());
    }

    @NeedsRoot
    @Test
    void anOrdinaryUserIsToldWhyLimitsAreRefused() throws Exception {
        var ended = asOrdinaryUser("run", "--memory-max", "64M", "--", "true");
        assertEquals(125, ended.code(), ended.output());
        assertTrue(ended.output().contains("delegated"), ended.output());
    }

    @NeedsRoot
    @Test
    void anOrdinaryUserCanProbeAndAskTheDoctor() throws Exception {
        assertEquals(0, asOrdinaryUser("probe").code());
        assertTrue(asOrdinaryUser("doctor").output().contains("user namespaces without root"));
    }
}
