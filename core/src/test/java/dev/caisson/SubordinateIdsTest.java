// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.spec.IdMap;
import dev.caisson.spec.IdMap.Range;
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

/** An ordinary user with ranges in /etc/subuid and /etc/subgid maps more than its own id, by newuidmap(1). */
@NeedsRoot
@Needs({Need.USERADD, Need.NEWUIDMAP, Need.NEWGIDMAP})
class SubordinateIdsTest {
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

    private JavaAs.Ended asUser(String... args) throws Exception {
        String[] account = fields("/etc/passwd", user);
        return JavaAs.user(Integer.parseInt(account[2]), Integer.parseInt(account[3]), directory)
                .run(RangesProgram.class.getName(), args);
    }

    /** Runs a shell in a container with a map: args are own uid, own gid, first subordinate uid and gid. */
    static final class RangesProgram {
        public static void main(String[] args) throws Exception {
            var map = new IdMap(
                    List.of(new Range(0, Long.parseLong(args[0]), 1), new Range(1, Long.parseLong(args[2]), 1000)),
                    List.of(new Range(0, Long.parseLong(args[1]), 1), new Range(1, Long.parseLong(args[3]), 1000)));
            var container = Container.builder()
                    .lower(Path.of("/"))
                    .newUser(map)
                    .user(5, 6)
                    .groups("7");
            try {
                System.out.println(container
                        .capture("sh", "-c", "echo $(id -u) $(id -g) $(id -G); cat /proc/self/uid_map")
                        .orThrow()
                        .text()
                        .replaceAll(" +", " "));
            } catch (IOException refused) {
                System.out.println("refused: " + refused.getMessage());
            }
        }
    }

    @Test
    void anOrdinaryUserMapsItsSubordinateIdsAndSwitchesBetweenThem() throws Exception {
        String uid = fields("/etc/passwd", user)[2];
        String gid = fields("/etc/passwd", user)[3];
        String subuid = fields("/etc/subuid", user)[1];
        String subgid = fields("/etc/subgid", user)[1];
        var ended = asUser(uid, gid, subuid, subgid);
        assertEquals("5 6 6 7\n 0 " + uid + " 1\n 1 " + subuid + " 1000", ended.output());
    }

    @Test
    void idsOfOthersAreRefusedWithTheFileThatWouldHaveToNameThem() throws Exception {
        String uid = fields("/etc/passwd", user)[2];
        String gid = fields("/etc/passwd", user)[3];
        String said = asUser(uid, gid, "3000000000", "3000000000").output();
        assertTrue(said.startsWith("refused: user namespace: newuidmap"), said);
        assertTrue(said.contains("the ranges must be this user's in /etc/subuid"), said);
    }
}
