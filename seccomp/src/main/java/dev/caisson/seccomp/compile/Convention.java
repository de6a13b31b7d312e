// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** How numbers mean calls: x32 shares the token of x86_64 and is told apart by bit 30. */
public final class Convention {
    /** What a tracer sets to have a call skipped; it has bit 30, yet it is not a call of x32. */
    public static final int NO_CALL = -1;

    /** What the numbers of x32 have beyond those of x86_64. */
    public static final int X32_BIT = 0x4000_0000;

    /** In place of the last number that is old. */
    public static final long NONE_IS_NEW = Long.MAX_VALUE;

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

    /** {@return whose number it is} Numbers from bit 30 on are x32's, those beyond bit 31 too, which mean no call of either. */
    public static Optional<Arch> of(int auditArch, int number) {
        if (auditArch == Arch.X86_64.auditArch()) {
            boolean isX32 = number != NO_CALL && Integer.compareUnsigned(number, X32_BIT) >= 0;
            return Optional.of(isX32 ? Arch.X32 : Arch.X86_64);
        }
        return Arch.of(auditArch, number);
    }

    /** {@return the number without the bit of x32, unsigned} */
    public static long index(Arch arch, int number) {
        return Integer.toUnsignedLong(arch == Arch.X32 ? number & ~X32_BIT : number);
    }

    /** {@return the last number that is a call, without the bit of x32} */
    public static long lastKnown(Arch arch) {
        return LAST_KNOWN.getOrDefault(arch, 0);
    }
}
