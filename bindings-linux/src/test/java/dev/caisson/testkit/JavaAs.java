// SPDX-License-Identifier: Apache-2.0
package dev.caisson.testkit;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a main class of the tests in a JVM of its own, as root or as somebody else. */
public final class JavaAs {
    private static final int SECONDS = 60;

    private final List<String> prefix;
    private final String classPath;
    private final List<String> options;

    private JavaAs(List<String> prefix, String classPath) {
        this(prefix, classPath, List.of("-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"));
    }

    private JavaAs(List<String> prefix, String classPath, List<String> options) {
        this.prefix = prefix;
        this.classPath = classPath;
        this.options = options;
    }

    /** How a JVM ended and all that it wrote. */
    public record Ended(int code, String output) {}

    /** {@return JVMs as this one} */
    public static JavaAs oneself() {
        return new JavaAs(List.of(), System.getProperty("java.class.path"));
    }

    /** {@return JVMs confined by an AppArmor profile that is loaded} */
    public static JavaAs confined(String profile) {
        Need.AA_EXEC.orSkip();
        return new JavaAs(List.of("aa-exec", "-p", profile, "--"), System.getProperty("java.class.path"));
    }

    /**
     * {@return JVMs of another user, without any privilege}
     *
     * @param copies an empty directory for a class path that this user may read: the build may lie where only root may look
     */
    public static JavaAs user(int uid, int gid, Path copies) throws IOException {
        Need.SETPRIV.orSkip();
        return new JavaAs(
                List.of("setpriv", "--reuid=" + uid, "--regid=" + gid, "--clear-groups", "--"), readable(copies));
    }

    /** {@return the same with further options of the JVM} */
    public JavaAs with(String... more) {
        var all = new ArrayList<>(options);
        all.addAll(List.of(more));
        return new JavaAs(prefix, classPath, all);
    }

    /** {@return the same behind a program that executes the rest of its arguments} */
    public JavaAs behind(String... program) {
        var all = new ArrayList<>(List.of(program));
        all.addAll(prefix);
        return new JavaAs(all, classPath, options);
    }

    /** Runs a main class and waits for its end. */
    public Ended run(String mainClass, String... args) throws IOException, InterruptedException {
        var command = new ArrayList<>(prefix);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(List.of("-cp", classPath, mainClass));
        command.addAll(List.of(args));
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(SECONDS, TimeUnit.SECONDS));
        return new Ended(process.exitValue(), output.strip());
    }

    /**
     * {@return this JVM's class path for another user}
     *
     * @param copies an empty directory for it
     */
    public static String readable(Path copies) throws IOException {
        open(copies);
        var entries = new ArrayList<String>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path source = Path.of(entry);
            if (Files.exists(source)) {
                Path copy = copies.resolve("class-path-" + entries.size() + (Files.isDirectory(source) ? "" : ".jar"));
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
                open(Files.copy(file, copy.resolve(source.relativize(file).toString())));
            }
        }
    }

    private static void open(Path path) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
