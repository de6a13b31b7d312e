// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each example as a user starts it: in a JVM of its own, as root and as an ordinary user. */
class ExamplesTest {
    @TempDir
    Path directory;

    private static JavaAs.Ended java(String... args) throws IOException, InterruptedException {
        return JavaAs.oneself().run(Main.class.getName(), args);
    }

    /** As a user without any privilege: uid 61234 has no name, no home and no entry in /etc/subuid. */
    private JavaAs.Ended asOrdinaryUser(String... args) throws IOException, InterruptedException {
        return JavaAs.user(61_234, 61_234, directory).run(Main.class.getName(), args);
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
        assertEquals("2 sandbox lo\nx", ended.output());
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
    void besideRunsScriptsInARunningContainer() throws Exception {
        var ended = java(
                "beside", "--memory", "32", "--run", "hostname", "--run", "exec tail /dev/zero", "--", "sleep", "100");
        var lines = ended.output().lines().toList();
        assertEquals("sandbox", lines.get(0));
        assertTrue(lines.get(1).startsWith("Exited[code=0], peak of memory OptionalLong["), ended.output());
        assertTrue(lines.get(2).startsWith("Killed[signal=SIGKILL, reason=OUT_OF_MEMORY ("), ended.output());
        assertEquals(0, ended.code());
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
    void firstWriteSaysBeforehandWhatALayerCosts() throws Exception {
        var lines = java("first-write", "--size", "8").output().lines().toList();
        assertEquals(4, lines.size(), lines.toString());
        assertTrue(lines.get(1).matches("in a lower layer +8 +\\d+ +\\d+"), lines.get(1));
        assertTrue(lines.get(2).matches("in a volume +0 +\\d+ +\\d+"), lines.get(2));
        assertTrue(lines.get(3).matches("in memory \\(tmpfs\\) +0 +\\d+ +\\d+"), lines.get(3));
    }

    @NeedsRoot
    @Test
    void anOrdinaryUserMeasuresTheFirstWriteToo() throws Exception {
        assertEquals(0, asOrdinaryUser("first-write", "--size", "4").code());
    }

    @NeedsRoot
    @Test
    void rollbackTakesBackWhatWasNoGood() throws Exception {
        var ended = java(
                "rollback",
                "--check",
                "! test -e /etc/bad && test -s /etc/passwd",
                "rm /etc/passwd",
                "echo good > /etc/good",
                "echo x > /etc/bad; echo worse > /etc/good");
        assertEquals(
                "taken back: rm /etc/passwd\nkept:      echo good > /etc/good\n"
                        + "taken back: echo x > /etc/bad; echo worse > /etc/good\n/etc/good",
                ended.output());
        assertEquals(0, ended.code());
    }

    @Test
    void poolMeasures() throws Exception {
        var ended = java("pool", "--size", "2", "--runs", "3", "--", "true");
        assertTrue(ended.output().matches("start to exit, median of 3, us: cold \\d+, pool \\d+"), ended.output());
    }

    @NeedsRoot
    @Test
    void anOrdinaryUserHasPoolsToo() throws Exception {
        var ended = asOrdinaryUser("pool", "--size", "1", "--runs", "2", "--", "true");
        assertEquals(0, ended.code(), ended.output());
    }

    @Test
    void doctorReports() throws Exception {
        assertTrue(java("doctor").output().contains("cgroup layout"));
    }

    @Test
    void seccompCompilesProfilesToRawPrograms() throws Exception {
        Path profile = Files.writeString(directory.resolve("small.json"), """
                {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "architectures": ["SCMP_ARCH_X86_64"],
                 "syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"}]}""");
        Path out = directory.resolve("out");
        var ended = java(
                "seccomp",
                "compile",
                "--arch",
                "x86_64",
                "--kernel",
                "6.18",
                "--no-enosys",
                "--raw",
                "--out",
                out.toString(),
                profile.toString(),
                "standard");
        assertEquals(0, ended.code(), ended.output());
        long small = Files.size(out.resolve("small.bpf"));
        assertTrue(small > 0 && small % 8 == 0 && small < Files.size(out.resolve("standard.bpf")), () -> "" + small);
        assertEquals(
                0,
                java("seccomp", "evaluate", "--arch", "x86_64", profile.toString(), "read")
                        .code());
        assertEquals(
                1,
                java("seccomp", "evaluate", "--arch", "x86_64", profile.toString(), "openat")
                        .code());
        var differences = java("seccomp", "diff", "--arch", "x86_64", profile.toString(), "standard");
        assertEquals(1, differences.code());
        assertTrue(differences.output().contains("openat"), differences.output());
    }

    @NeedsRoot
    @Test
    void seccompLearnsWhatACommandNeeds() throws Exception {
        Path profile = directory.resolve("learned.json");
        var ended = java("seccomp", "learn", "--out", profile.toString(), "--", "uname", "-s");
        assertEquals("Linux", ended.output().strip());
        assertEquals(0, java("seccomp", "evaluate", profile.toString(), "uname").code());
        assertEquals(1, java("seccomp", "evaluate", profile.toString(), "mount").code());
        var source = java("seccomp", "learn", "--java", "--class", "UnamePolicy", "--", "uname", "-s");
        assertTrue(source.output().contains("final class UnamePolicy"), source.output());
        assertEquals(1, java("seccomp", "learn", "--", "false").code());
    }

    @Test
    void seccompExplainsAndListsAPolicy() throws Exception {
        assertTrue(java("seccomp", "explain", "standard").output().contains("instructions, longest path"));
        assertTrue(java("seccomp", "list", "standard").output().lines().count() > 50);
    }

    @Test
    void aBrokenSeccompProfileIsNamedWithTheLine() throws Exception {
        Path profile = Files.writeString(directory.resolve("broken.json"), "{\n  \"defaultAction\": 5\n}");
        var ended = java("seccomp", "explain", profile.toString());
        assertTrue(ended.code() != 0 && ended.output().contains("line 2"), ended.output());
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
        assertTrue(ended.output().startsWith("2 0 sandbox lo"), ended.output());
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
