// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.call;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;

/** A family of flag bits that prints values by the names of the kernel's headers. */
public final class Flags {
    private final Map<String, Long> bits;
    private final String zero;

    private Flags(Map<String, Long> bits, String zero) {
        this.bits = bits;
        this.zero = zero;
    }

    /** {@return a family without bits; {@code zero} is what the value 0 is called} */
    public static Flags named(String zero) {
        return new Flags(Map.of(), zero);
    }

    /** {@return this family and one more bit, or group of bits; groups must come before their parts} */
    public Flags with(String name, long bit) {
        var more = new LinkedHashMap<>(bits);
        more.put(name, bit);
        return new Flags(more, zero);
    }

    /** {@return the argument whose value is {@code value} and whose text names its bits} */
    public Arg.Value of(long value) {
        return new Arg.Value(value, text(value));
    }

    /** {@return names joined by {@code |}; bits without a name appear in hexadecimal at the end} */
    public String text(long value) {
        if (value == 0) {
            return zero;
        }
        var names = new StringJoiner("|");
        long rest = value;
        for (var bit : bits.entrySet()) {
            long mask = bit.getValue();
            if (mask != 0 && (rest & mask) == mask) {
                names.add(bit.getKey());
                rest &= ~mask;
            }
        }
        if (rest != 0) {
            names.add("0x" + Long.toHexString(rest));
        }
        return names.toString();
    }
}
