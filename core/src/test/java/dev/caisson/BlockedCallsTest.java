// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Signal;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Blocked;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.Namespace;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Which call was blocked, and by which rule. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class BlockedCallsTest {
    private final List<Blocked> told = new CopyOnWriteArrayList<>();

    private static Seccomp killing(Action action) {
        return Seccomp.otherwise(Action.allow()).on(action, Syscall.UNAME);
    }

    @Test
    void aRefusedCallIsToldWithItsRuleAndFailsAsItWould() throws Exception {
        var policy = Seccomp.otherwise(Action.allow()).fail(Errno.EXDEV, Syscall.UNAME);
        var output = overHost().seccomp(policy.reporting(told::add)).capture("uname");
        assertTrue(output.errorText().contains("cross-device"), output::errorText);
        assertEquals(new Exit.Exited(1), output.exit());
        assertEquals(List.of("uname"), told.stream().map(Blocked::call).toList());
        assertEquals("fail with EXDEV uname", told.getFirst().verdict().reason());
    }

    @Test
    void whatTheDefaultPolicyRefusesIsTold() throws Exception {
        var output = overHost().seccomp(Seccomp.standard().reporting(told::add)).capture("unshare", "--uts", "true");
        assertEquals(new Exit.Exited(1), output.exit());
        assertTrue(output.errorText().contains("not permitted"), output::errorText);
        var unshare = told.stream()
                .filter(b -> b.call().equals("unshare"))
                .findFirst()
                .orElseThrow();
        assertEquals(0x0400_0000, unshare.arguments().getFirst());
        assertEquals("no rule is about this call", unshare.verdict().reason());
    }

    @Test
    void aKilledCommandWasKilledBySeccompAndTheCallIsKnown() throws Exception {
        for (var action : List.of(Action.killProcess(), Action.killThread())) {
            told.clear();
            var exit = overHost().seccomp(killing(action).reporting(told::add)).run("uname");
            assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.SECCOMP), exit);
            assertEquals(List.of("uname"), told.stream().map(Blocked::call).toList());
            assertEquals(action, told.getFirst().verdict().action());
            assertTrue(told.getFirst().verdict().rule().isPresent());
        }
    }

    @Test
    void aKilledCommandUnderAnInitWasKilledBySeccomp() throws Exception {
        var exit = overHost()
                .init()
                .seccomp(killing(Action.killProcess()).reporting(told::add))
                .run("uname");
        assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.SECCOMP), exit);
    }

    @Test
    void aKilledChildIsToldAndTheCommandIsNotBlamed() throws Exception {
        var exit = overHost()
                .host(Namespace.PID) // The first process of a namespace cannot kill itself.
                .seccomp(killing(Action.killProcess()).reporting(told::add))
                .run("/bin/sh", "-c", "uname; kill -KILL $$");
        assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.SIGNAL), exit);
        assertEquals(List.of("uname"), told.stream().map(Blocked::call).toList());
    }

    @Test
    void withoutReportsTheReasonIsKnownStill() throws Exception {
        for (var action : List.of(Action.killProcess(), Action.killThread(), Action.trap())) {
            var exit = overHost().seccomp(killing(action)).run("uname");
            assertEquals(new Exit.Killed(Signal.SIGSYS, Exit.Cause.SECCOMP), exit);
        }
    }
}
