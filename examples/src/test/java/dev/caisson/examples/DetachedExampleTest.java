// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The life of a detached container as a person has it, each command in a JVM of its own. */
@Timeout(120)
class DetachedExampleTest {
    private static final int SOMEBODY = 61_235;

    @TempDir
    Path directory;

    @Test
    void runPsExecLogsStopAndRmAsTheSameUser() throws Exception {
        live(JavaAs.oneself());
    }

    @NeedsRoot
    @Test
    void runPsExecLogsStopAndRmAsAnOrdinaryUser() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
        Path copies = Files.createDirectory(directory.resolve("copies"));
        live(JavaAs.user(SOMEBODY, SOMEBODY, copies));
    }

    private void live(JavaAs jvm) throws Exception {
        var java = jvm.with("-Dcaisson.state=" + directory.resolve("state"));
        assertEquals(
                "db", said(java, 0, "run", "--detach", "--name", "db", "--", "sh", "-c", "echo ready; exec sleep 600"));
        String list = said(java, 0, "ps");
        assertTrue(list.startsWith("NAME"), list);
        assertTrue(list.contains("db") && list.contains("running") && list.contains("sleep 600"), list);
        assertEquals(
                "1 sandbox",
                said(java, 0, "exec", "db", "--", "sh", "-c", "echo $(ls -d /proc/1 | wc -l) $(hostname)"));
        assertEquals("", said(java, 7, "exec", "db", "--", "sh", "-c", "exit 7"));
        assertEquals("ready", said(java, 0, "logs", "db"));
        String taken = said(java, 125, "run", "--detach", "--name", "db", "--", "true");
        assertTrue(taken.contains("\"db\""), taken);
        String runs = said(java, 125, "rm", "db");
        assertTrue(runs.contains("stop it first"), runs);
        assertEquals("db", said(java, 0, "stop", "db"));
        list = said(java, 0, "ps");
        assertTrue(list.contains("exited (143)"), list);
        assertEquals("ready", said(java, 0, "logs", "-f", "db"));
        assertEquals("db", said(java, 0, "rm", "db"));
        assertEquals(1, said(java, 0, "ps").lines().count());
        String none = said(java, 125, "rm", "db");
        assertTrue(none.contains("no container"), none);
    }

    private static String said(JavaAs java, int code, String... arguments) throws Exception {
        var ended = java.run(Main.class.getName(), arguments);
        assertEquals(code, ended.code(), ended.output());
        return ended.output();
    }
}
