// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Does to a call what a policy says, and tells. A call gets here because the policy refuses it, so it is never let through,
 * whatever fails.
 */
record Reporter(Seccomp policy, Consumer<? super Blocked> told) implements Supervisor {
    /** {@return whether a supervisor can do the same; only the kernel can raise a trap} */
    static boolean canDo(Action action) {
        return switch (action) {
            case Action.Fail _, Action.KillProcess _, Action.KillThread _ -> true;
            case Action.Trap _, Action.Notify _, Action.Trace _, Action.Log _, Action.Allow _ -> false;
        };
    }

    /** {@return the rules, with this as the supervisor of those that refuse} */
    List<Rule> rules() {
        return policy.rules().stream()
                .map(rule -> canDo(rule.action())
                        ? new Rule(
                                rule.calls(),
                                rule.conditions(),
                                Action.supervise(),
                                rule.architectures(),
                                rule.origin(),
                                Optional.of(this))
                        : rule)
                .toList();
    }

    @Override
    public Reply decide(Notification call) throws IOException {
        var verdict = policy.evaluate(
                call.arch().map(Arch::auditArch).orElse(0),
                call.number(),
                IntStream.range(0, Condition.ARGUMENTS).mapToLong(call::arg).toArray());
        try {
            // Before the verdict has effect: whoever learns of the end finds what led to it told.
            var blocked = Blocked.of(call, verdict);
            BlockedEvent.commit(blocked);
            told.accept(blocked);
        } finally {
            if (!(verdict.action() instanceof Action.Fail)) {
                call.kill();
            }
        }
        return verdict.action() instanceof Action.Fail(int errno) && errno == 0
                ? Reply.returning(0)
                : new Reply.Fail(verdict.action() instanceof Action.Fail(int code) ? code : Errno.EPERM.code());
    }
}
