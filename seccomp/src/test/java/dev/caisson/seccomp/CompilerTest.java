// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import static dev.caisson.seccomp.Arg.arg;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.bpf.Instruction;
import dev.caisson.seccomp.bpf.Verifier;
import dev.caisson.seccomp.compile.Compiler;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Policies at the limits of what a program can be. */
class CompilerTest {
    /** Values two apart, so that they make no range, with as many outcomes as there are values. */
    private static Seccomp values(int count, Syscall... calls) {
        var policy = Seccomp.otherwise(Action.allow()).architectures(Arch.X86_64);
        for (var call : calls) {
            for (int i = 0; i < count; i++) {
                policy = policy.on(Action.fail(new Errno(1 + i % 4000)), call, arg(0).is(2L * i));
            }
        }
        return policy;
    }

    @Test
    void aThousandValuesOfOneArgumentAreSearched() {
        var filter = values(1000, Syscall.IOCTL).compile();
        assertEquals(List.of(), Verifier.check(filter.instructions()));
        for (int i = 0; i < 2100; i++) {
            var action = filter.evaluate(Arch.X86_64, Syscall.IOCTL, i).action();
            assertEquals(i % 2 == 0 && i < 2000 ? new Action.Fail(1 + i / 2) : Action.allow(), action);
        }
        assertTrue(Compiler.compile(Sources.of(filter.policy()), Compiler.ALL).height() < 24);
    }

    @Test
    void hundredsOfMasksMakeLongWaysAndAreTriedInTurn() {
        var policy = Seccomp.otherwise(Action.allow()).architectures(Arch.X86_64);
        for (int i = 1; i < 400; i++) {
            policy = policy.on(Action.fail(new Errno(i)), Syscall.IOCTL, arg(1).masked(0x0fff_0fff, i), arg(0).is(i));
        }
        var filter = policy.compile();
        assertEquals(List.of(), Verifier.check(filter.instructions()));
        for (int i = 0; i < 410; i++) {
            var _ = filter.evaluate(Arch.X86_64, Syscall.IOCTL, i, i | 0xf000_0000L);
        }
    }

    @Test
    void aProgramOverTheLimitSaysByHowMuchAndWhichRulesCostMost() {
        var policy = values(2500, Syscall.IOCTL).on(Action.fail(Errno.EPERM), Syscall.PRCTL, arg(0).is(1));
        var refused = assertThrows(IllegalStateException.class, policy::compile);
        String message = String.valueOf(refused.getMessage());
        int size = Integer.parseInt(message.replaceFirst(".*has (\\d+) instructions.*", "$1"));
        assertTrue(size > Instruction.MOST, message);
        assertTrue(message.contains((size - Instruction.MOST) + " more than the kernel's limit of 4096"), message);
        assertTrue(message.indexOf("ioctl ") < message.indexOf("prctl "), message);
        assertTrue(message.contains("2500 rules, first: fail with EPERM ioctl if arg0 == 0"), message);
    }

    @Test
    void aRuleThatCanNeverDecideIsAConflict() {
        var policy = Seccomp.otherwise(Action.allow()).fail(Errno.EPERM, Syscall.READ, Syscall.WRITE);
        var refused = assertThrows(IllegalArgumentException.class, () -> policy.allow(Syscall.READ, arg(0).is(1)));
        assertEquals(
                "conflicting rules: \"allow read if arg0 == 1\" can never decide, because"
                        + " \"fail with EPERM read, write\" comes first",
                refused.getMessage());
    }

    @Test
    void anArgumentThatNoCallHasIsRefused() {
        var refused = assertThrows(IllegalArgumentException.class, () -> arg(6));
        assertEquals("argument: 6 is not within 0 to 5, the arguments of a system call", refused.getMessage());
    }
}
