// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Signal;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Native;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Launches that somebody holds up, and zygotes that may hold little. */
@NeedsRoot
@Timeout(120)
class HeldLaunchTest {
    /** A tracer stops a child as SIGSTOP does. Without a timeout the launch would last for ever. */
    @Test
    @ExtendWith(NoLeaks.class)
    void anInterruptEndsALaunchWhoseChildIsStopped() throws Exception {
        var stopped = new CompletableFuture<Integer>();
        var policy = Seccomp.otherwise(Action.allow()).supervise(Syscall.EXECVE, call -> {
            if (stopped.complete(call.pid())) {
                var _ = Native.call(Syscall.KILL, call.pid(), Signal.SIGSTOP.number(), 0);
            }
            return Reply.proceed();
        });
        var thrown = new CompletableFuture<Throwable>();
        var launching = Thread.ofPlatform().start(() -> {
            try {
                overHost().seccomp(policy).start("true").close();
                thrown.complete(new AssertionError("was started"));
            } catch (Throwable expected) {
                thrown.complete(expected);
            }
        });
        int child = stopped.get(30, TimeUnit.SECONDS);
        Thread.sleep(500);
        assertTrue(launching.isAlive());
        launching.interrupt();
        var refused = assertInstanceOf(ContainerException.class, thrown.get(30, TimeUnit.SECONDS));
        assertTrue(refused.getMessage().contains("process " + child + " is in state T"), refused.getMessage());
        launching.join();
    }

    /** Starts plain commands until it may start no more, says their numbers, and is gone. */
    static final class Many {
        private Many() {}

        public static void main(String[] args) throws Exception {
            var nothing = Stdio.discard();
            var builder = Container.bare().stdin(nothing).stdout(nothing).stderr(nothing);
            var pids = new ArrayList<Long>();
            try {
                while (pids.size() < 200) {
                    pids.add(builder.start("/bin/sleep", "1000").pid());
                }
            } catch (ContainerException refused) {
                System.out.println(refused.getMessage());
            }
            System.out.println(pids.toString().replaceAll("[\\[\\],]", ""));
            System.out.flush();
            Runtime.getRuntime().halt(0);
        }
    }

    /** The pidfds of the living are beyond the numbers for what arrives: of few descriptors there are fewer for them. */
    @Test
    void noCommandIsStartedThatTheZygoteCouldNotEnd() throws Exception {
        var jvm = JavaAs.oneself()
                .behind("/bin/sh", "-c", "ulimit -n 320; exec \"$@\"", "sh")
                .run(Many.class.getName());
        var lines = jvm.output().lines().toList();
        assertEquals(2, lines.size(), jvm.output());
        assertTrue(lines.getFirst().contains("ulimit -Hn"), lines.getFirst());
        String[] pids = lines.getLast().split(" ");
        assertEquals(320 - 256, pids.length);
        for (String pid : pids) {
            for (int i = 0; i < 1000 && isAlive(pid); i++) {
                Thread.sleep(10);
            }
            assertTrue(!isAlive(pid), pid);
        }
    }

    private static boolean isAlive(String pid) throws Exception {
        Path stat = Path.of("/proc", pid, "stat");
        return Files.exists(stat) && !Files.readString(stat).contains(") Z ");
    }
}
