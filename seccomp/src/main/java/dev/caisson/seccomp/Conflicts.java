// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Syscall;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/** Rules that contradict each other. */
final class Conflicts {
    private Conflicts() {}

    /** Refuses a rule that an earlier one leaves nothing to decide. */
    static void refuseUnreachable(List<Rule> earlier, Rule rule) {
        for (var other : earlier) {
            if (!other.agreesWith(rule)
                    && other.calls().containsAll(rule.calls())
                    && other.architectures().containsAll(rule.architectures())
                    && new HashSet<>(rule.conditions()).containsAll(other.conditions())) {
                throw new IllegalArgumentException(
                        "conflicting rules: \"" + rule + "\" can never decide, because \"" + other + "\" comes first");
            }
        }
    }

    /** {@return a sentence about the first two rules with different actions that one call may match, if there are any} */
    static Optional<String> firstOverlap(List<Rule> rules) {
        for (int i = 0; i < rules.size(); i++) {
            for (int j = i + 1; j < rules.size(); j++) {
                var a = rules.get(i);
                var b = rules.get(j);
                if (a.agreesWith(b)) {
                    continue;
                }
                var calls = a.calls().isEmpty() ? EnumSet.noneOf(Syscall.class) : EnumSet.copyOf(a.calls());
                calls.retainAll(b.calls());
                var arches = new HashSet<>(a.architectures());
                arches.retainAll(b.architectures());
                if (!calls.isEmpty() && !arches.isEmpty() && canBothHold(a.conditions(), b.conditions())) {
                    return Optional.of("conflicting rules for "
                            + calls.iterator().next() + ": \"" + a + "\" and \"" + b + "\" may both match one call");
                }
            }
        }
        return Optional.empty();
    }

    private static boolean canBothHold(List<Condition> a, List<Condition> b) {
        var all = new ArrayList<>(a);
        all.addAll(b);
        for (int argument = 0; argument < 6; argument++) {
            int index = argument;
            if (!isSatisfiable(all.stream().filter(c -> c.argument() == index).toList())) {
                return false;
            }
        }
        return true;
    }

    /** Whether one value meets all conditions: the least with the masked bits from the lower bound on, if excluded the next. */
    static boolean isSatisfiable(List<Condition> conditions) {
        long mask = 0;
        long bits = 0;
        long least = 0;
        long most = -1;
        int excluded = 0;
        for (var c : conditions) {
            switch (c.comparison()) {
                case NE -> excluded++;
                case EQ -> {
                    least = max(least, c.value());
                    most = min(most, c.value());
                }
                case GE -> least = max(least, c.value());
                case LE -> most = min(most, c.value());
                case GT -> {
                    if (c.value() == -1) {
                        return false;
                    }
                    least = max(least, c.value() + 1);
                }
                case LT -> {
                    if (c.value() == 0) {
                        return false;
                    }
                    most = min(most, c.value() - 1);
                }
                case MASKED_EQ -> {
                    boolean contradicts = (c.value() & ~c.mask()) != 0 || ((bits ^ c.value()) & mask & c.mask()) != 0;
                    if (contradicts) {
                        return false;
                    }
                    mask |= c.mask();
                    bits |= c.value();
                }
            }
        }
        long value = least;
        for (int tries = 0; tries <= excluded; tries++) {
            var next = atLeast(value, mask, bits);
            if (next.isEmpty() || Long.compareUnsigned(next.get(), most) > 0) {
                return false;
            }
            long found = next.get();
            if (conditions.stream().allMatch(c -> c.holds(found))) {
                return true;
            }
            if (found == -1) {
                return false;
            }
            value = found + 1;
        }
        return false;
    }

    /** The least number not below a bound that has given bits where a mask says. */
    private static Optional<Long> atLeast(long bound, long mask, long bits) {
        if (((bound ^ bits) & mask) == 0) {
            return Optional.of(bound);
        }
        // The number equals the bound above some bit, is greater there, and as small as it may be below.
        for (int bit = 0; bit < Long.SIZE; bit++) {
            long here = 1L << bit;
            long above = bit == Long.SIZE - 1 ? 0 : -1L << bit + 1;
            boolean canRise = (bound & here) == 0 && ((mask & here) == 0 || (bits & here) != 0);
            if (canRise && ((bound ^ bits) & mask & above) == 0) {
                return Optional.of(bound & above | here | bits & mask & here - 1);
            }
        }
        return Optional.empty();
    }

    private static long max(long a, long b) {
        return Long.compareUnsigned(a, b) > 0 ? a : b;
    }

    private static long min(long a, long b) {
        return Long.compareUnsigned(a, b) < 0 ? a : b;
    }
}
