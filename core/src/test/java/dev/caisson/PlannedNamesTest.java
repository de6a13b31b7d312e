// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.call.Arg;
import dev.caisson.testkit.KernelNames;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What explain() prints by name is what the kernel gets as a number. */
class PlannedNamesTest {
    /** Texts that name no constant of a header, and what they stand for. */
    private static final Map<String, Long> OTHER = Map.of("NULL", 0L, "~0U", 0xffff_ffffL);

    @Test
    void everyNamedValueIsThatOfItsName() throws Exception {
        var names = KernelNames.ofThisArchitecture();
        var wrong = new TreeSet<String>();
        var unknown = new TreeSet<String>();
        var checked = new TreeMap<String, Long>();
        for (var plan : Plans.various().values()) {
            for (var arg : Plans.arguments(plan)) {
                if (arg instanceof Arg.Value(long value, String text)
                        && !text.equals(Long.toString(value))
                        && !text.startsWith("{")) {
                    var sum = text.matches("[0-9]+:[0-9]+") ? device(text) : names.sum(text);
                    long expected = sum.isPresent() ? sum.getAsLong() : OTHER.getOrDefault(text, value);
                    if (sum.isEmpty() && !OTHER.containsKey(text) && !text.matches("E[A-Z0-9]+")) {
                        unknown.add(text);
                    } else if ((int) expected != (int) value) {
                        wrong.add(text + " is " + value + " and should be " + expected);
                    }
                    checked.put(text, value);
                }
            }
        }
        assertEquals(new TreeSet<>(), wrong);
        assertEquals(new TreeSet<>(), unknown);
        assertTrue(checked.size() > 40, checked.toString());
    }

    private static OptionalLong device(String majorAndMinor) {
        String[] numbers = majorAndMinor.split(":");
        return OptionalLong.of(Long.parseLong(numbers[0]) << 8 | Long.parseLong(numbers[1]));
    }
}
