// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.spec.IdMap;
import dev.caisson.testkit.NeedsRoot;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A JVM that is root of a user namespace, as in a rootless container or after {@code unshare -Ur}. */
@NeedsRoot
@Timeout(120)
class NestedUserTest {
    /** Runs containers with and without user namespaces of their own, and says what came of it. */
    static final class Jvm {
        private Jvm() {}

        public static void main(String[] args) throws Exception {
            for (var builder : List.of(
                    overHost(),
                    overHost().newUser(),
                    Container.sandbox().lower(Path.of("/")),
                    Container.bare().newUser(),
                    overHost().newUser(IdMap.range(0, 1000, 2)),
                    overHost().newUser(IdMap.range(0, 500_000, 65_536)))) {
                try {
                    System.out.println(builder.capture("/bin/sh", "-c", "id -u; tr -s ' ' < /proc/self/uid_map")
                            .orThrow()
                            .text()
                            .replace("\n", ","));
                } catch (ContainerException refused) {
                    System.out.println(refused.getMessage());
                }
            }
        }
    }

    private static List<String> said(IdMap map) throws Exception {
        var output = Container.bare()
                .newUser(map)
                .capture(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Jvm.class.getName());
        assertEquals(new Exit.Exited(0), output.exit(), output.text() + output.errorText());
        var lines = output.text().lines().toList();
        assertEquals(6, lines.size(), output.text());
        return lines;
    }

    @Test
    void ofOneIdItGivesThatIdAlone() throws Exception {
        var lines = said(IdMap.single(0, 0, 0, 0));
        for (int i = 0; i < 4; i++) {
            assertEquals("0, 0 0 1", lines.get(i));
        }
        refused(lines.get(4), "user 1000");
        refused(lines.get(5), "user 500000");
    }

    @Test
    void ofManyIdsItGivesThoseThatAreAskedFor() throws Exception {
        var ids = List.of(new IdMap.Range(0, 0, 1), new IdMap.Range(1, 100_000, 65_535));
        var lines = said(new IdMap(ids, ids));
        assertEquals("0, 0 0 1, 1 100000 65535", lines.get(0));
        for (int i = 1; i < 4; i++) {
            assertEquals("0, 0 0 1", lines.get(i));
        }
        assertEquals("0, 0 1000 2", lines.get(4));
        refused(lines.get(5), "user 500000");
    }

    private static void refused(String line, String missing) {
        assertTrue(line.startsWith("newUser: " + missing + " does not exist in the user namespace"), line);
        assertTrue(line.contains("IdMap.single(0, 0, 0, 0)"), line);
    }
}
