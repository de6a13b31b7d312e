// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import java.util.stream.Collectors;

/** Assertions about policies for tests; they throw AssertionError with what was found. The architecture is the host's. */
public final class SeccompAssertions {
    private SeccompAssertions() {}

    /** Fails unless a call with such arguments is made. */
    public static void assertAllows(Seccomp policy, String call, long... args) {
        var verdict = policy.compile().evaluate(Arch.host(), named(call), args);
        if (!verdict.action().isAllowed()) {
            throw new AssertionError(call + " should be allowed, but: " + verdict);
        }
    }

    /** Fails unless a call with such arguments is refused: killed, trapped or failed. */
    public static void assertRefuses(Seccomp policy, String call, long... args) {
        var verdict = policy.compile().evaluate(Arch.host(), named(call), args);
        if (!verdict.action().isRefused()) {
            throw new AssertionError(call + " should be refused, but: " + verdict);
        }
    }

    /** Fails unless an action is taken on a call with such arguments. */
    public static void assertAction(Action expected, Seccomp policy, String call, long... args) {
        var verdict = policy.compile().evaluate(Arch.host(), named(call), args);
        if (!verdict.action().equals(expected)) {
            throw new AssertionError(call + ": expected " + expected.text() + ", but: " + verdict);
        }
    }

    /** Fails unless two policies judge all calls alike. */
    public static void assertSame(Seccomp expected, Seccomp actual) {
        var differences = Difference.between(expected, actual);
        if (!differences.isEmpty()) {
            throw new AssertionError(differences.size() + " calls differ (expected / actual):\n"
                    + differences.stream().limit(20).map(Difference::toString).collect(Collectors.joining("\n")));
        }
    }

    private static Syscall named(String call) {
        return Syscall.of(call)
                .orElseThrow(() -> new IllegalArgumentException("call: \"" + call + "\" is not a system call"));
    }
}
