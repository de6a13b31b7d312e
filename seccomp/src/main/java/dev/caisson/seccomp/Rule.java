// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * An action for some system calls.
 *
 * @param calls those it is about; where an architecture lacks one, it says nothing there
 * @param conditions all of which must hold; empty if the arguments do not matter
 * @param architectures where it counts
 * @param origin where it was written, such as {@code "syscalls[3]"}, or empty
 * @param supervisor who decides, where the action is to notify
 */
public record Rule(
        Set<Syscall> calls,
        List<Condition> conditions,
        Action action,
        Set<Arch> architectures,
        String origin,
        Optional<Supervisor> supervisor) {
    public Rule {
        if (supervisor.isPresent() && !(action instanceof Action.Notify)) {
            throw new IllegalArgumentException(
                    "supervisor: it decides nothing where the action is to " + action.text() + " instead of to notify");
        }
        calls = Collections.unmodifiableSet(calls.isEmpty() ? EnumSet.noneOf(Syscall.class) : EnumSet.copyOf(calls));
        conditions = List.copyOf(conditions);
        architectures = Collections.unmodifiableSet(
                architectures.isEmpty() ? EnumSet.noneOf(Arch.class) : EnumSet.copyOf(architectures));
    }

    /** A rule without a supervisor. */
    public Rule(Set<Syscall> calls, List<Condition> conditions, Action action, Set<Arch> architectures, String origin) {
        this(calls, conditions, action, architectures, origin, Optional.empty());
    }

    /** {@return whether another rule decides alike} */
    boolean agreesWith(Rule other) {
        return action.equals(other.action) && supervisor.equals(other.supervisor);
    }

    /** {@return whether the arguments of a call are as it wants them} */
    boolean matches(dev.caisson.seccomp.bpf.SeccompData data) {
        for (var condition : conditions) {
            if (!condition.holds(data.argument(condition.argument()))) {
                return false;
            }
        }
        return true;
    }

    /** {@return the rule as a line: {@code allow socket if arg0 < 38}} */
    @Override
    public String toString() {
        String names = calls.size() > 4
                ? calls.stream().limit(3).map(Syscall::kernelName).collect(Collectors.joining(", ")) + " and "
                        + (calls.size() - 3) + " more"
                : calls.stream().map(Syscall::kernelName).collect(Collectors.joining(", "));
        String when = conditions.isEmpty()
                ? ""
                : " if " + conditions.stream().map(Condition::toString).collect(Collectors.joining(" and "));
        return action.text() + " " + names + when + (origin.isEmpty() ? "" : " (" + origin + ")");
    }
}
