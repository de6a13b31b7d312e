// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.overlay.store.LayerStore;
import dev.caisson.overlay.store.Removal;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Mount;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.Needs;
import dev.caisson.testkit.NeedsRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An ordinary user's layer store, with files in it that belong to the user's subordinate ids. */
@NeedsRoot
@Needs({Need.USERADD, Need.NEWUIDMAP, Need.NEWGIDMAP})
class SubordinateRemovalTest {
    private final String user = "caisson-" + System.nanoTime() % 1_000_000_000;

    @TempDir
    Path directory;

    private static String[] fields(String file, String user) throws IOException {
        return Files.readAllLines(Path.of(file)).stream()
                .filter(line -> line.startsWith(user + ":"))
                .findFirst()
                .orElseThrow(() -> new IOException(file + " has no line of " + user))
                .split(":");
    }

    private static int tool(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }

    @BeforeEach
    void makeUser() throws Exception {
        assertEquals(0, tool("useradd", "--no-create-home", "--shell", "/bin/sh", user));
    }

    @AfterEach
    void removeUser() throws Exception {
        assertEquals(0, tool("userdel", user));
    }

    /** Args: a directory, own uid and gid, first subordinate uid and gid, and whether to remove as the subordinate ids. */
    static final class StoreProgram {
        public static void main(String[] args) throws Exception {
            Path work = Path.of(args[0]);
            Path base = Files.createDirectories(work.resolve("base"));
            for (String name : List.of("bin", "lib", "lib64")) {
                Files.createSymbolicLink(base.resolve(name), Path.of("usr", name));
            }
            var map = new IdMap(
                    List.of(
                            new IdMap.Range(0, Long.parseLong(args[1]), 1),
                            new IdMap.Range(1, Long.parseLong(args[3]), 1000)),
                    List.of(
                            new IdMap.Range(0, Long.parseLong(args[2]), 1),
                            new IdMap.Range(1, Long.parseLong(args[4]), 1000)));
            Removal removal = Boolean.parseBoolean(args[5]) ? Host.removal() : Removal.here();
            try (var store = LayerStore.open(work.resolve("store"), removal)) {
                try (var branch = store.branch(base)) {
                    Container.builder()
                            .on(branch)
                            .bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY)
                            .newUser(map)
                            .capture("sh", "-c", "mkdir /d; touch /d/f; chown -R 5:5 /d; chmod 700 /d")
                            .orThrow();
                    System.out.println(Files.getOwner(branch.upper().resolve("d")));
                    branch.reset();
                }
            } catch (IOException refused) {
                System.out.println("refused: " + refused.getMessage());
            }
            try (var left = Files.list(work.resolve("store/trash"))) {
                System.out.println(left.count() + " left");
            }
        }
    }

    private JavaAs.Ended program(boolean asSubordinates) throws Exception {
        String[] account = fields("/etc/passwd", user);
        Path work = Files.createDirectory(directory.resolve("work"));
        assertEquals(0, tool("chown", account[2] + ":" + account[3], work.toString()));
        return JavaAs.user(Integer.parseInt(account[2]), Integer.parseInt(account[3]), directory)
                .run(
                        StoreProgram.class.getName(),
                        work.toString(),
                        account[2],
                        account[3],
                        fields("/etc/subuid", user)[1],
                        fields("/etc/subgid", user)[1],
                        Boolean.toString(asSubordinates));
    }

    @Test
    void filesOfSubordinateIdsAreRemoved() throws Exception {
        long owner = Long.parseLong(fields("/etc/subuid", user)[1]) + 4;
        var ended = program(true);
        assertEquals(owner + "\n0 left", ended.output());
    }

    @Test
    void withoutTheirIdsTheyAreReportedNotForgotten() throws Exception {
        var ended = program(false);
        assertTrue(ended.output().contains("refused: remove "), ended.output());
        assertTrue(ended.output().contains("EACCES") || ended.output().contains("EPERM"), ended.output());
        assertTrue(ended.output().endsWith("1 left"), ended.output());
    }
}
