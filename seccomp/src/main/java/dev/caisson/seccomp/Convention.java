// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** How numbers mean calls: x32 shares the token of x86_64 and is told apart by bit 30. */
final class Convention {
    /** What a tracer sets to have a call skipped; it has bit 30, yet it is no call of x32. */
    static final int NO_CALL = -1;

    static final int X32_BIT = 0x4000_0000;
    static final long NONE_IS_NEW = Long.MAX_VALUE;

    private static final Map<Arch, Integer> LAST_KNOWN = lastOfAll();

    private Convention() {}

    private static Map<Arch, Integer> lastOfAll() {
        var last = new EnumMap<Arch, Integer>(Arch.class);
        for (var call : Syscall.values()) {
            for (var arch : Arch.values()) {
                call.number(arch).ifPresent(n -> last.merge(arch, (int) index(arch, n), Math::max));
            }
        }
        return Map.copyOf(last);
    }

    /** Numbers from bit 30 on are x32's, those beyond bit 31 too, which mean no call of either. */
    static Optional<Arch> of(int auditArch, int number) {
        if (auditArch == Arch.X86_64.auditArch()) {
            boolean isX32 = number != NO_CALL && Integer.compareUnsigned(number, X32_BIT) >= 0;
            return Optional.of(isX32 ? Arch.X32 : Arch.X86_64);
        }
        return Arch.of(auditArch, number);
    }

    /** {@return the number without the bit of x32, unsigned} */
    static long index(Arch arch, int number) {
        return Integer.toUnsignedLong(arch == Arch.X32 ? number & ~X32_BIT : number);
    }

    /** {@return the last number that is a call, without the bit of x32} */
    static long lastKnown(Arch arch) {
        return LAST_KNOWN.getOrDefault(arch, 0);
    }

    /** {@return the last number that is not newer than the policy, {@link #NONE_IS_NEW} if it makes no difference} */
    static long lastOld(Seccomp policy, Arch arch) {
        if (!policy.otherwise().isRefused()) {
            return NONE_IS_NEW;
        }
        return switch (policy.newerCalls()) {
            case AS_OTHERWISE -> NONE_IS_NEW;
            case ENOSYS_PAST_KNOWN -> LAST_KNOWN.getOrDefault(arch, 0);
            case ENOSYS_PAST_NAMED -> {
                long last = -1;
                for (var rule : policy.rules()) {
                    if (rule.architectures().contains(arch)) {
                        for (var call : rule.calls()) {
                            var number = call.number(arch);
                            if (number.isPresent()) {
                                last = Math.max(last, index(arch, number.getAsInt()));
                            }
                        }
                    }
                }
                // A policy that names no call of an architecture knows nothing of what is new there.
                yield last < 0 ? NONE_IS_NEW : last;
            }
        };
    }
}
