// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Signal;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Containers that have everything but their command. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class PrepareTest {
    private static final int SOMEBODY = 64324;

    @TempDir
    Path directory;

    private static String said(Container container) throws Exception {
        try (container) {
            String said = new String(container.stdout().readAllBytes(), StandardCharsets.UTF_8).strip();
            String error = new String(container.stderr().readAllBytes(), StandardCharsets.UTF_8).strip();
            assertTrue(container.waitFor().isSuccess(), error);
            return said;
        }
    }

    @Test
    void whatIsPreparedRunsWhenItIsStarted() throws Exception {
        var builder = overHost()
                .environment("NAME", "value")
                .workingDirectory("/etc")
                .user("daemon")
                .hostname("waits");
        try (var prepared = builder.prepare("/bin/sh", "-c", "echo $NAME; pwd; id -un; hostname; echo $HOME")) {
            long pid = prepared.pid();
            assertTrue(prepared.isWaiting());
            var container = prepared.start();
            assertEquals(pid, container.pid());
            assertFalse(prepared.isWaiting());
            assertThrows(IllegalStateException.class, prepared::start);
            assertEquals("value\n/etc\ndaemon\nwaits\n/usr/sbin", said(container));
        }
    }

    @Test
    void aPreparedCommandIsConfinedAsOneThatIsStartedAtOnce() throws Exception {
        String[] command = {
            "/bin/sh",
            "-c",
            "grep -E 'Cap|NoNew|Seccomp|Groups|Uid|Gid|Sig[A-P]' /proc/self/status; ls -l /proc/self/fd | grep -c pipe; umask;"
                    + " ulimit -n; cat /proc/self/oom_score_adj; mount | wc -l; readlink /proc/self/exe"
        };
        for (var builder : new ContainerBuilder[] {
            overHost(),
            overHost().init(),
            overHost().newUser(),
            Container.sandbox().lower(Path.of("/")).init(),
            Container.bare()
        }) {
            String expected = said(builder.start(command));
            try (var prepared = builder.prepare(command)) {
                assertEquals(expected, said(prepared.start()));
            }
        }
    }

    @Test
    void aHookMayInstallTheProgramAndItsDirectory() throws Exception {
        Path app = Files.writeString(directory.resolve("app"), "#!/bin/sh\nbasename $PWD\n");
        Files.setPosixFilePermissions(app, PosixFilePermissions.fromString("rwxr-xr-x"));
        try (var prepared = overHost().workingDirectory("/srv/new").prepare("/srv/new/app")) {
            Files.createDirectories(prepared.fs().getPath("/srv/new"));
            prepared.copyIn(app, "/srv/new/app");
            assertEquals("new", said(prepared.start()));
        }
    }

    @Test
    void aMissingInterpreterIsNamedByTheRootAsItIsAtTheStart() throws Exception {
        try (var prepared = overHost().prepare("/srv/app")) {
            Files.writeString(prepared.fs().getPath("/srv/app"), "#!/no/such/interpreter\n");
            Files.setPosixFilePermissions(
                    prepared.fs().getPath("/srv/app"), PosixFilePermissions.fromString("rwxr-xr-x"));
            var refused = assertThrows(ContainerException.class, prepared::start);
            assertTrue(refused.getMessage().contains("/no/such/interpreter"), refused.getMessage());
            assertFalse(prepared.isWaiting());
        }
    }

    @Test
    void namespacesOfAPreparedContainerAreJoined() throws Exception {
        try (var prepared = overHost().hostname("hooked").prepare("/bin/hostname")) {
            assertEquals(
                    "hooked",
                    Container.bare()
                            .join(prepared, Namespace.UTS, Namespace.NETWORK)
                            .capture("/bin/hostname")
                            .orThrow()
                            .text());
            assertTrue(Container.bare()
                    .join(prepared, Namespace.UTS)
                    .run("/bin/hostname", "changed")
                    .isSuccess());
            assertEquals("changed", said(prepared.start()));
            assertThrows(IllegalStateException.class, () -> Container.bare().join(prepared, Namespace.UTS));
        }
    }

    @Test
    void theTimeoutCountsFromTheStart() throws Exception {
        try (var prepared = overHost().timeout(Duration.ofMillis(400)).prepare("/bin/sleep", "100")) {
            Thread.sleep(500);
            long began = System.nanoTime();
            try (var container = prepared.start()) {
                assertTrue(container.isAlive());
                assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.TIMEOUT), container.waitFor());
            }
            assertTrue(System.nanoTime() - began >= TimeUnit.MILLISECONDS.toNanos(390));
        }
    }

    @Test
    void aProgramThatIsNotThereIsRefusedAndLeavesNothing() throws Exception {
        for (String program : new String[] {"/no/such/program", "no-such-program"}) {
            try (var prepared = overHost().pidsMax(10).prepare(program)) {
                var refused = assertThrows(ContainerException.class, prepared::start);
                assertTrue(refused.getMessage().contains("ENOENT"), refused.getMessage());
            }
        }
    }

    @Test
    void whatIsKilledWhileItWaitsIsToldAndLeavesNothing() throws Exception {
        try (var prepared = overHost().pidsMax(10).prepare("/bin/true")) {
            assertTrue(ProcessHandle.of(prepared.pid()).orElseThrow().destroyForcibly());
            for (int i = 0; i < 200 && prepared.isWaiting(); i++) {
                Thread.sleep(5);
            }
            assertFalse(prepared.isWaiting());
            var refused = assertThrows(ContainerException.class, prepared::start);
            assertTrue(refused.getMessage().contains("before its command was run"), refused.getMessage());
        }
    }

    @Test
    void whatIsClosedBeforeItsStartLeavesNothing() throws Exception {
        Path upper = directory.resolve("upper");
        for (var builder : new ContainerBuilder[] {
            overHost().pidsMax(10),
            overHost().newUser(IdMap.range(0, 300_000, 65_536)).pidsMax(10),
            overHost().upper(upper),
            Container.sandbox().lower(Path.of("/")),
            Container.bare()
        }) {
            var prepared = builder.prepare("/bin/true");
            assertTrue(prepared.isWaiting());
            prepared.close();
            assertFalse(prepared.isWaiting());
            prepared.close();
            assertThrows(IllegalStateException.class, prepared::start);
        }
    }

    @Test
    void limitsHoldAndUsageIsSeenBeforeTheStart() throws Exception {
        try (var prepared = overHost().pidsMax(7).prepare("/bin/sh", "-c", "(echo one)")) {
            prepared.usage().pids().ifPresent(pids -> assertEquals(1, pids.current()));
            assertEquals("one", said(prepared.start()));
        }
    }

    @Test
    void supervisorsAreAskedFromTheStartOn() throws Exception {
        var policy = Seccomp.otherwise(Action.allow()).supervise(Syscall.SYSINFO, _ -> Reply.returning(0));
        try (var prepared = overHost().seccomp(policy).prepare("/bin/echo", "supervised")) {
            assertEquals("supervised", said(prepared.start()));
        }
    }

    @Test
    void descriptorsAndInputArePassedOn() throws Exception {
        try (var prepared = overHost()
                .stdin(Stdio.bytes("in".getBytes(StandardCharsets.UTF_8)))
                .descriptor(3, Stdio.bytes("three".getBytes(StandardCharsets.UTF_8)))
                .descriptor(5, Stdio.bytes("five".getBytes(StandardCharsets.UTF_8)))
                .descriptor(4, Stdio.discard())
                .prepare("/bin/sh", "-c", "cat; cat <&3; cat <&4; cat <&5; ls /proc/self/fd | wc -l")) {
            // Six of its own, and the one by which ls reads the directory.
            assertEquals("inthreefive7", said(prepared.start()));
        }
    }

    @Test
    void muchEnvironmentIsPassedOn() throws Exception {
        var builder = overHost();
        for (int i = 0; i < 8; i++) {
            builder = builder.environment("MUCH" + i, "x".repeat(100_000));
        }
        try (var prepared = builder.prepare("/bin/sh", "-c", "echo ${#MUCH0} ${#MUCH7}")) {
            assertEquals("100000 100000", said(prepared.start()));
        }
    }

    @Test
    void joiningAPidNamespaceContradictsPreparing() throws Exception {
        try (var container = overHost().start("/bin/sleep", "1000")) {
            assertThrows(
                    IllegalStateException.class,
                    () -> Container.bare().join(container, Namespace.PID).prepare("/bin/true"));
        }
    }

    @Test
    void theWaitingProcessHasNothingOfTheHostAndNobodyMayLookAtIt() throws Exception {
        try (var prepared = overHost().newUser(IdMap.range(0, 300_000, 65_536)).prepare("/bin/true")) {
            Path proc = Path.of("/proc/" + prepared.pid());
            try (var descriptors = Files.list(proc.resolve("fd"))) {
                for (Path descriptor : descriptors.toList()) {
                    String target = Files.readSymbolicLink(descriptor).toString();
                    assertTrue(target.startsWith("socket:") || target.equals("/dev"), target);
                }
            }
            assertTrue(Files.readSymbolicLink(proc.resolve("exe")).toString().startsWith("/memfd:caisson"));
            // As root in its namespaces, with all capabilities there: it is the process with the lowest number.
            var looked = Container.bare()
                    .join(prepared, Namespace.USER, Namespace.MOUNT, Namespace.PID)
                    .capture(
                            "/bin/sh",
                            "-c",
                            "id -u; cat /proc/1/comm; cat /proc/1/environ || ls -l /proc/1/fd || exit 7");
            assertEquals(new Exit.Exited(7), looked.exit(), looked.errorText());
            assertEquals("0\ncaisson-launch", looked.text());
        }
    }

    @Test
    void aTimeoutThatIsOverBeforeTheExecveIsOne() throws Exception {
        try (var prepared = overHost().timeout(Duration.ofNanos(1)).prepare("/bin/sleep", "100");
                var container = prepared.start()) {
            assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.TIMEOUT), container.waitFor());
        }
    }

    @Test
    void aLinkInPlaceOfDevNullLeadsNowhere() throws Exception {
        try (var prepared = overHost().stdout(Stdio.discard()).prepare("/bin/echo", "misled")) {
            var hook = Container.bare()
                    .join(prepared, Namespace.MOUNT, Namespace.PID)
                    .capture("/bin/sh", "-c", "umount /dev/null && rm /dev/null && ln -s /etc/hostname /dev/null");
            assertTrue(hook.exit().isSuccess(), hook.errorText());
            var refused = assertThrows(ContainerException.class, prepared::start);
            assertTrue(refused.getMessage().contains("ELOOP"), refused.getMessage());
        }
    }

    @Test
    void whoeverKillsTheZygoteHarmsNoPreparedContainer() throws Exception {
        try (var prepared = overHost().prepare("/bin/echo", "still there")) {
            var zygote = ProcessHandle.current()
                    .children()
                    .filter(child -> comm(child.pid()).equals("caisson-zygote"))
                    .findFirst()
                    .orElseThrow();
            assertTrue(zygote.destroyForcibly());
            for (int i = 0; i < 400 && zygote.isAlive(); i++) {
                Thread.sleep(5);
            }
            assertTrue(prepared.isWaiting());
            assertEquals("still there", said(prepared.start()));
        }
    }

    private static String comm(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/comm")).strip();
        } catch (java.io.IOException ended) {
            return "";
        }
    }

    /** In a JVM that is killed, or of an ordinary user. */
    static final class Preparing {
        private Preparing() {}

        public static void main(String[] args) throws Exception {
            var builder = args.length > 0
                    ? overHost().limits(dev.caisson.cgroups.spec.Limits.none())
                    : Container.sandbox().lower(Path.of("/"));
            var pids = new ArrayList<Long>();
            for (int i = 0; i < 3; i++) {
                pids.add(builder.prepare("/bin/true").pid());
            }
            if (args.length > 0) {
                System.out.println(pids);
                Runtime.getRuntime().halt(9);
            }
            try (var prepared = builder.prepare("/bin/echo", "unprivileged")) {
                Files.writeString(prepared.fs().getPath("/tmp/hook"), "was here");
                System.out.println(said(prepared.start()));
            }
        }
    }

    @Test
    void anOrdinaryUserPreparesToo() throws Exception {
        var jvm = JavaAs.user(SOMEBODY, SOMEBODY, directory).run(Preparing.class.getName());
        assertEquals("unprivileged", jvm.output());
    }

    @Test
    void whatIsPreparedEndsWithItsJvm() throws Exception {
        var jvm = JavaAs.oneself().run(Preparing.class.getName(), "halt");
        assertEquals(9, jvm.code(), jvm.output());
        for (String pid : jvm.output().substring(1, jvm.output().length() - 1).split(", ")) {
            for (int i = 0; i < 400 && Files.exists(Path.of("/proc/" + pid)); i++) {
                Thread.sleep(5);
            }
            assertFalse(Files.exists(Path.of("/proc/" + pid)), pid);
        }
    }
}
