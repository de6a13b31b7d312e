// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.Samples.sh;
import static dev.caisson.seccomp.Arg.arg;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.Notification;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.seccomp.Supervision;
import dev.caisson.seccomp.Supervisor;
import dev.caisson.spec.Namespace;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.Needs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Containers whose system calls Java decides. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class SupervisorTest {
    private static final long CHARACTER_DEVICE = 0x2000;

    @TempDir
    static Path directory;

    private static Seccomp uname(Supervisor supervisor) {
        return Seccomp.otherwise(Action.allow()).supervise(Syscall.UNAME, supervisor);
    }

    /** struct utsname: six strings of 65 bytes. */
    private static Supervisor calls(String name) {
        return call -> {
            byte[] names = new byte[6 * 65];
            for (int i = 0; i < 6; i++) {
                System.arraycopy(
                        name.getBytes(java.nio.charset.StandardCharsets.UTF_8), 0, names, i * 65, name.length());
            }
            call.write(call.arg(0), names);
            return Reply.returning(0);
        };
    }

    @Test
    void aSupervisorAnswersInPlaceOfTheKernel() throws Exception {
        assertEquals(
                "Caisson",
                sh(overHost().seccomp(uname(calls("Caisson"))), "uname").strip());
    }

    @Test
    void allVerbsAreSupervised() throws Exception {
        var container = overHost().seccomp(uname(_ -> Reply.fail(Errno.EXDEV)));
        assertEquals(
                new Exit.Exited(1),
                container.stderr(dev.caisson.spec.Stdio.discard()).run("uname"));
        assertTrue(container.capture("uname").errorText().contains("cross-device"));
        try (var running = container.start("uname")) {
            assertEquals(new Exit.Exited(1), running.waitFor());
        }
        assertTrue(container.explain("uname").toString().contains("SECCOMP_FILTER_FLAG_NEW_LISTENER"));
    }

    @Test
    void aRuleOfTheDesignLetsOneDeviceBeMade() throws Exception {
        var policy = Seccomp.standard()
                .first(rules -> rules.supervise(
                        Syscall.MKNODAT, call -> call.arg(3) == 0x103 ? Reply.proceed() : Reply.fail(Errno.EPERM)));
        assertEquals(
                "made refused",
                sh(
                        overHost().seccomp(policy).addCapabilities(dev.caisson.spec.Capability.MKNOD),
                        "mknod /tmp/a c 1 3 && echo -n 'made '; mknod /tmp/b c 1 5 2>/dev/null || echo -n refused"));
    }

    @Test
    void aPathThatIsNotTextIsOpenedByItsBytes() throws Exception {
        var policy = Seccomp.standard()
                .first(rules -> rules.supervise(Syscall.OPENAT, call -> {
                    String path = call.readString(call.arg(1), 4096);
                    return path.startsWith("/tmp/odd") && call.arg(2) == 0
                            ? Reply.descriptor(call.open(path, 0, 0))
                            : Reply.proceed();
                }));
        String script = "odd=$(printf '/tmp/odd\\377'); echo right > $odd; echo decoy > '/tmp/odd?';"
                + " echo decoy > $(printf '/tmp/odd\\357\\277\\275'); cat $odd";
        assertEquals("right", sh(overHost().seccomp(policy), script));
    }

    @Test
    void thePayloadNeverHasTheListener() throws Exception {
        String list =
                sh(overHost().seccomp(uname(_ -> Reply.proceed())), "uname >/dev/null; ls -l /proc/self/fd /proc/1/fd");
        assertFalse(list.contains("seccomp"), list);
        assertFalse(list.contains("socket"), list);
    }

    @Test
    void execveItselfCanBeSupervised() throws Exception {
        var paths = new ArrayList<String>();
        var policy = Seccomp.otherwise(Action.allow()).supervise(Syscall.EXECVE, call -> {
            paths.add(call.readString(call.arg(0), 4095));
            return Reply.proceed();
        });
        assertEquals("here", sh(overHost().seccomp(policy), "/bin/echo here").strip());
        assertEquals(List.of("/bin/sh", "/bin/echo"), paths);
    }

    @Test
    void anExecveThatTheSupervisorRefusesIsAFailedLaunch() {
        var policy = Seccomp.otherwise(Action.allow()).supervise(Syscall.EXECVE, _ -> Reply.fail(Errno.EXDEV));
        var failed = assertThrows(
                ContainerException.class, () -> overHost().seccomp(policy).run("/bin/true"));
        assertTrue(String.valueOf(failed.getMessage()).contains("EXDEV"), failed.getMessage());
    }

    @Test
    void execveCanBeSupervisedFromVirtualThreadsAtOnce() throws Exception {
        var policy = Seccomp.otherwise(Action.allow())
                .supervise(Syscall.EXECVE, _ -> Reply.proceed())
                .supervision(Supervision.standard().timeout(java.time.Duration.ofSeconds(20)));
        var tasks = new ArrayList<FutureTask<Exit>>();
        for (int i = 0; i < 8; i++) {
            var task = new FutureTask<>(() -> overHost().seccomp(policy).run("/bin/true"));
            tasks.add(task);
            Thread.ofVirtual().start(task);
        }
        for (var task : tasks) {
            assertEquals(new Exit.Exited(0), task.get(60, TimeUnit.SECONDS));
        }
    }

    /** All that a static or simple program needs, and nothing that could hand over a descriptor. */
    private static Seccomp strict(Supervisor supervisor) {
        return Seccomp.otherwise(Action.allow())
                .fail(
                        Errno.EPERM,
                        Syscall.SENDMSG,
                        Syscall.SENDTO,
                        Syscall.SENDMMSG,
                        Syscall.RECVMSG,
                        Syscall.SOCKET,
                        Syscall.SOCKETPAIR,
                        Syscall.FUTEX,
                        Syscall.NANOSLEEP,
                        Syscall.SCHED_YIELD)
                .supervise(Syscall.UNAME, supervisor);
    }

    @Test
    void aPolicyThatRefusesSendmsgIsSupervisedToo() throws Exception {
        assertEquals(
                "strict",
                sh(overHost().seccomp(strict(calls("strict"))), "uname").strip());
        assertEquals(
                "strict",
                sh(overHost().newUser().seccomp(strict(calls("strict"))), "uname")
                        .strip());
        assertEquals(
                "strict",
                sh(overHost().init().seccomp(strict(calls("strict"))), "uname").strip());
    }

    @Test
    void aPolicyThatAsksAboutEverythingIsSupervised() throws Exception {
        var asked = new AtomicInteger();
        var policy = Seccomp.otherwise(_ -> {
            asked.incrementAndGet();
            return Reply.proceed();
        });
        assertEquals("all", sh(overHost().seccomp(policy), "/bin/echo all").strip());
        assertTrue(asked.get() > 40, asked::toString);
    }

    @Test
    void initsUserNamespacesAndJoinedOnesAreSupervised() throws Exception {
        assertEquals(
                "init",
                sh(overHost().init().seccomp(uname(calls("init"))), "uname").strip());
        assertEquals(
                "user",
                sh(overHost().newUser().seccomp(uname(calls("user"))), "uname").strip());
        assertEquals(
                "early",
                sh(overHost().allowNewPrivileges().seccomp(uname(calls("early"))), "uname")
                        .strip());
        try (var other = overHost().newUser().newNetwork().start("sleep", "1000")) {
            for (var policy : List.of(uname(calls("joined")), strict(calls("joined")))) {
                var joining = Container.bare()
                        .join(other, Namespace.USER, Namespace.MOUNT, Namespace.PID, Namespace.NETWORK)
                        .seccomp(policy);
                assertEquals("joined", sh(joining, "uname").strip());
            }
        }
    }

    @Test
    void aSecondPolicyWithSupervisorsIsRefusedAndOneWithoutIsNot() throws Exception {
        var one = overHost().seccomp(uname(calls("one")));
        var refused = assertThrows(IllegalArgumentException.class, () -> one.seccomp(uname(calls("two"))));
        assertTrue(refused.getMessage().contains("only one filter"), refused.getMessage());
        assertThrows(
                IllegalArgumentException.class,
                () -> overHost().seccomp(Seccomp.otherwise(Action.allow()).flags(Filter.Flag.NEW_LISTENER)));
        var both = one.seccomp(Seccomp.otherwise(Action.allow()).fail(Errno.EPERM, Syscall.SYMLINK, Syscall.SYMLINKAT));
        assertEquals(
                "one no",
                sh(both, "echo $(uname) $(ln -s a /tmp/b 2>/dev/null || echo no)")
                        .strip());
    }

    @Test
    void argumentsChooseWhetherTheSupervisorIsAsked() throws Exception {
        var modes = new ArrayList<Long>();
        var policy = Seccomp.otherwise(Action.allow())
                .supervise(
                        Syscall.MKNODAT,
                        call -> {
                            modes.add(call.arg(2));
                            return Reply.fail(Errno.EXDEV);
                        },
                        arg(2).masked(0xf000, CHARACTER_DEVICE));
        assertEquals(
                "fifo no",
                sh(
                        overHost().seccomp(policy),
                        "mkfifo /tmp/f && mknod /tmp/g p && test -p /tmp/g && echo -n fifo;"
                                + " mknod /tmp/c c 1 3 2>/dev/null || echo -n ' no'"));
        assertEquals(1, modes.size());
    }

    @Test
    void aCallerThatDiesWhileItsSupervisorThinksIsNoError() throws Exception {
        var failures = new AtomicReference<Throwable>();
        var asked = new CountDownLatch(1);
        var gone = new CompletableFuture<Boolean>();
        var policy = uname(call -> {
                    asked.countDown();
                    for (int i = 0; i < 10_000 && call.isPending(); i++) {
                        Thread.sleep(1);
                    }
                    gone.complete(!call.isPending());
                    assertThrows(Notification.CallerGoneException.class, () -> call.read(call.arg(0), 1));
                    return Reply.returning(0);
                })
                .supervision(Supervision.standard().onFailure((_, failure) -> failures.set(failure)));
        // The shell outlives the killed caller, and ends when its supervisor has seen that.
        String script = "uname & read go; kill -9 $!; wait $! || echo killed; read end";
        try (var container = overHost().seccomp(policy).start("sh", "-c", script)) {
            assertTrue(asked.await(10, TimeUnit.SECONDS));
            container.stdin().write('\n');
            container.stdin().flush();
            assertTrue(gone.get(20, TimeUnit.SECONDS));
            container.stdin().close();
            assertEquals("killed", new String(container.stdout().readAllBytes(), StandardCharsets.UTF_8).strip());
            var _ = container.waitFor();
        }
        assertEquals(null, failures.get());
    }

    @Test
    void closingAContainerWithACallPendingInterruptsItsSupervisor() throws Exception {
        var asked = new CountDownLatch(1);
        var interrupted = new CompletableFuture<Boolean>();
        var policy = uname(_ -> {
            asked.countDown();
            try {
                Thread.sleep(60_000);
            } catch (InterruptedException expected) {
                interrupted.complete(true);
            }
            return Reply.returning(0);
        });
        try (var _ = overHost().seccomp(policy).start("uname")) {
            assertTrue(asked.await(10, TimeUnit.SECONDS));
        }
        assertTrue(interrupted.get(5, TimeUnit.SECONDS));
    }

    @Test
    void aSupervisorThatThrowsRefusesAndItsContainerGoesOn() throws Exception {
        var failures = new ArrayList<Throwable>();
        var policy = uname(_ -> {
                    throw new IllegalStateException("a bug");
                })
                .supervision(Supervision.standard().onFailure((_, failure) -> failures.add(failure)));
        assertEquals(
                "1 1 on",
                sh(overHost().seccomp(policy), "uname 2>/dev/null; echo -n \"$? \"; uname 2>/dev/null; echo $? on")
                        .strip());
        assertEquals(2, failures.size());
    }

    @Needs(Need.PYTHON3)
    @Test
    void manyCallersAtOnceAreAllAnswered() throws Exception {
        var asked = new AtomicInteger();
        Supervisor counting = _ -> Reply.returning(asked.incrementAndGet());
        for (var how : List.of(Supervision.standard(), Supervision.standard().concurrent())) {
            asked.set(0);
            var policy = Seccomp.otherwise(Action.allow())
                    .supervise(Syscall.GETPGID, counting)
                    .supervision(how);
            String script = "import os, threading\n"
                    + "seen = []\n"
                    + "def work():\n"
                    + "    for _ in range(200): seen.append(os.getpgid(0))\n"
                    + "all = [threading.Thread(target=work) for _ in range(16)]\n"
                    + "[t.start() for t in all]\n"
                    + "[t.join() for t in all]\n"
                    + "print(len(set(seen)))\n";
            assertEquals(
                    "3200",
                    overHost()
                            .seccomp(policy)
                            .capture(Need.PYTHON3.path().toString(), "-c", script)
                            .orThrow()
                            .text()
                            .strip());
            assertEquals(3200, asked.get());
        }
    }

    @Test
    void aFileIsInjectedInPlaceOfTheOneThatWasNamed() throws Exception {
        Path secret = Files.writeString(directory.resolve("secret"), "from outside");
        var policy = Seccomp.otherwise(Action.allow())
                .supervise(
                        Syscall.OPENAT,
                        call -> call.readString(call.arg(1), 4095).equals("/nowhere")
                                ? Reply.descriptor(call.openOnHost(secret, 0))
                                : Reply.proceed());
        assertEquals("from outside", sh(overHost().seccomp(policy), "cat /nowhere"));
    }

    @Test
    void anotherThatIsLeftBehindGetsEnosysWhenTheCommandHasEnded() throws Exception {
        // In the JVM's PID namespace, so that ending the command does not end the other.
        var policy = uname(_ -> Reply.returning(0));
        Path said = directory.resolve("answer");
        try (var running = Container.bare()
                .seccomp(policy)
                .noNewPrivileges()
                .start("sh", "-c", "(sleep 0.5; uname 2> " + said + ") & exit 0")) {
            assertEquals(new Exit.Exited(0), running.waitFor());
        }
        for (int i = 0; i < 500 && (!Files.exists(said) || Files.size(said) == 0); i++) {
            Thread.sleep(10);
        }
        assertTrue(Files.readString(said).contains("not implemented"), Files.readString(said));
    }

    /** Run as an ordinary user. */
    static final class Rootless {
        private Rootless() {}

        public static void main(String[] args) throws Exception {
            for (var policy : List.of(uname(calls("rootless")), strict(calls("fetched")))) {
                System.out.println(sh(overHost().seccomp(policy), "uname"));
                System.out.println(sh(overHost().init().seccomp(policy), "uname"));
            }
            try (var other = overHost().newNetwork().start("sleep", "1000")) {
                System.out.println(sh(
                        Container.bare()
                                .join(Namespace.USER, Path.of("/proc/" + other.pid() + "/ns/user"))
                                .join(Namespace.NETWORK, Path.of("/proc/" + other.pid() + "/ns/net"))
                                .noNewPrivileges()
                                .seccomp(uname(calls("joined"))),
                        "uname"));
            }
        }
    }

    @Test
    void containersOfAnOrdinaryUserAreSupervised() throws Exception {
        var ended = JavaAs.user(65534, 65534, directory).run(Rootless.class.getName());
        assertEquals("rootless\nrootless\nfetched\nfetched\njoined", ended.output());
    }
}
