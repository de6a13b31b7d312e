// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.Need;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the first container of a JVM makes it load: a measure of how long that takes which no busy machine disturbs. The
 * bounds are for JDK 25, with room to spare; where one is met, {@code -Xlog:class+load} says what came to it.
 */
@ExtendWith(NoLeaks.class)
class FirstContainerTest {
    /** About 40 are made to link one downcall. */
    private static final int MOST_LAMBDA_FORMS = 110;

    /** Of the JDK and ours; about 240 serve to link one downcall. */
    private static final int MOST_OUTSIDE_THE_ARCHIVE = 870;

    @TempDir
    Path directory;

    static final class Bare {
        private Bare() {}

        public static void main(String[] args) throws Exception {
            assertEquals(new Exit.Exited(0), Container.bare().run("/bin/true"));
        }
    }

    /** {@return what is logged of the classes that are loaded from the main class on} */
    private List<String> loaded() throws Exception {
        Path log = directory.resolve("classes");
        var process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xlog:class+load:file=" + log + "::filecount=0",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Bare.class.getName())
                .inheritIO()
                .start();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue());
        var lines = Files.readAllLines(log);
        if (lines.stream().filter(FirstContainerTest::isArchived).count() <= 400) {
            Need.doesNotApply("this JDK has no archive of its own classes");
        }
        return lines.stream()
                .dropWhile(line -> !line.contains(Bare.class.getName()))
                .toList();
    }

    private static boolean isArchived(String line) {
        return line.contains("source: shared objects file");
    }

    private static boolean isLambdaForm(String line) {
        return line.contains("java.lang.invoke.LambdaForm$") || line.contains("java.lang.invoke.BoundMethodHandle$");
    }

    @Test
    void theFirstContainerOfAJvmLoadsAndMakesFewClasses() throws Exception {
        if (Runtime.version().feature() != 25) {
            Need.doesNotApply("the bounds are those of JDK 25");
        }
        var outside = loaded().stream().filter(line -> !isArchived(line)).toList();
        long forms = outside.stream().filter(FirstContainerTest::isLambdaForm).count();
        assertTrue(forms <= MOST_LAMBDA_FORMS, forms + " lambda forms");
        assertTrue(
                outside.size() <= MOST_OUTSIDE_THE_ARCHIVE,
                () -> outside.size() + " classes: " + String.join("\n", outside));
    }
}
