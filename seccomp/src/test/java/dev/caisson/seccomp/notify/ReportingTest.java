// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.notify;

import static dev.caisson.seccomp.Arg.arg;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Native;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Blocked;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.testkit.NoLeaks;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Policies that tell what they refuse, on a thread of this JVM. */
@ExtendWith(NoLeaks.class)
class ReportingTest {
    private final List<Blocked> told = new CopyOnWriteArrayList<>();

    @Test
    void aRefusedCallFailsAsBeforeAndTheRuleIsTold() throws Exception {
        var policy = Seccomp.otherwise(Action.allow())
                .on(Action.fail(new Errno(77)), Syscall.PERSONALITY, arg(0).is(0x1_0000_0005L))
                .fail(new Errno(78), Syscall.GETPPID);
        try (var thread = new SupervisedThread(policy.reporting(told::add))) {
            assertEquals(
                    List.of(-77L, 0L, -78L),
                    thread.run(() -> List.of(
                            Native.call(Syscall.PERSONALITY, 0x1_0000_0005L, 6, 0),
                            Native.call(Syscall.PERSONALITY, 0xffff_ffffL),
                            Native.call(Syscall.GETPPID, 0))));
        }
        assertEquals(2, told.size(), told::toString);
        var first = told.getFirst();
        assertEquals("personality", first.call());
        assertEquals(Arch.host(), first.architecture().orElseThrow());
        assertEquals(List.of(0x1_0000_0005L, 6L), first.arguments().subList(0, 2));
        assertEquals(policy.rules().getFirst(), first.verdict().rule().orElseThrow());
        assertTrue(first.toString().startsWith("personality(0x100000005, 0x6, 0x0"), first::toString);
        assertTrue(first.toString().endsWith(" personality if arg0 == 0x100000005"), first::toString);
        assertEquals(policy.rules().getLast(), told.getLast().verdict().rule().orElseThrow());
    }

    @Test
    void callsThatNoRuleIsAboutAndNewerOnesAreToldWithTheReason() throws Exception {
        var policy = Seccomp.otherwise(Action.allow()).allow(Syscall.GETPID);
        var strict = Seccomp.standard().reporting(told::add);
        assertTrue(policy.reporting(told::add).equals(policy), "there is nothing to tell");
        try (var thread = new SupervisedThread(strict)) {
            assertEquals(
                    List.of(-1L, -38L),
                    thread.run(() -> List.of(Native.call(Syscall.UNSHARE, 0), Native.call(Syscall.FILE_GETATTR, 0))));
        }
        assertEquals(
                List.of("no rule is about this call", "newer than the policy"),
                told.stream().map(b -> b.verdict().reason()).toList());
        assertEquals(
                List.of("unshare", "file_getattr"),
                told.stream().map(Blocked::call).toList());
    }

    @Test
    void thePolicysOwnSupervisorsStayInCharge() throws Exception {
        var policy = Seccomp.otherwise(Action.allow())
                .supervise(Syscall.GETPPID, _ -> Reply.returning(5))
                .fail(Errno.EXDEV, Syscall.PERSONALITY);
        try (var thread = new SupervisedThread(policy.reporting(told::add))) {
            assertEquals(
                    List.of(5L, -18L),
                    thread.run(() ->
                            List.of(Native.call(Syscall.GETPPID, 0), Native.call(Syscall.PERSONALITY, 0xffff_ffffL))));
        }
        assertEquals(List.of("personality"), told.stream().map(Blocked::call).toList());
    }

    @Test
    void aTrapStaysTheKernelsSinceNobodyElseCanRaiseOne() {
        var policy = Seccomp.otherwise(Action.trap()).allow(Syscall.READ);
        assertEquals(policy, policy.reporting(told::add));
        assertFalse(policy.reporting(told::add).isSupervised());
    }
}
