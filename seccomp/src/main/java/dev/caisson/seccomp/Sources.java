// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.seccomp.compile.Convention;
import dev.caisson.seccomp.compile.Source;
import dev.caisson.seccomp.compile.Test;
import java.util.EnumMap;

/** Policies as the compiler takes them, which knows nothing of policies. */
final class Sources {
    private Sources() {}

    static Source of(Seccomp policy) {
        var lastOld = new EnumMap<Arch, Long>(Arch.class);
        for (var arch : Arch.values()) {
            lastOld.put(arch, lastOld(policy, arch));
        }
        return new Source(
                policy.architectures(),
                policy.rules().stream().map(Sources::decision).toList(),
                policy.otherwise().returnValue(),
                Action.killProcess().returnValue(),
                Action.fail(Errno.ENOSYS).returnValue(),
                lastOld);
    }

    static Source.Decision decision(Rule rule) {
        return new Source.Decision(
                rule.calls(),
                rule.architectures(),
                rule.conditions().stream().map(Sources::test).toList(),
                rule.action().returnValue());
    }

    private static Test test(Condition c) {
        return switch (c.comparison()) {
            case EQ -> test(c, Test.Kind.EQUAL, false);
            case NE -> test(c, Test.Kind.EQUAL, true);
            case GT -> test(c, Test.Kind.GREATER, false);
            case LE -> test(c, Test.Kind.GREATER, true);
            case GE -> test(c, Test.Kind.AT_LEAST, false);
            case LT -> test(c, Test.Kind.AT_LEAST, true);
            case MASKED_EQ -> test(c, Test.Kind.MASKED, false);
        };
    }

    private static Test test(Condition c, Test.Kind kind, boolean negated) {
        return new Test(c.argument(), kind, c.value(), c.mask(), negated);
    }

    /** {@return the last number that is not newer than the policy, {@link Convention#NONE_IS_NEW} if it makes no difference} */
    static long lastOld(Seccomp policy, Arch arch) {
        if (!policy.otherwise().isRefused()) {
            return Convention.NONE_IS_NEW;
        }
        return switch (policy.newerCalls()) {
            case AS_OTHERWISE -> Convention.NONE_IS_NEW;
            case ENOSYS_PAST_KNOWN -> Convention.lastKnown(arch);
            case ENOSYS_PAST_NAMED -> {
                long last = -1;
                for (var rule : policy.rules()) {
                    if (rule.architectures().contains(arch)) {
                        for (var call : rule.calls()) {
                            var number = call.number(arch);
                            if (number.isPresent()) {
                                last = Math.max(last, Convention.index(arch, number.getAsInt()));
                            }
                        }
                    }
                }
                // A policy that names no call of an architecture knows nothing of what is new there.
                yield last < 0 ? Convention.NONE_IS_NEW : last;
            }
        };
    }
}
