// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.FileNames;

/** What several options refuse alike, each with its own name in the message. */
final class Checks {
    private Checks() {}

    /** {@return the value, if it is one string of bytes to the kernel} */
    static String string(String option, String value) {
        if (value.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(option + ": \"" + value.replace('\0', '\u2400') + "\" holds NUL");
        }
        if (FileNames.strayIn(value).isPresent()) {
            throw new IllegalArgumentException(
                    option + ": " + Arg.quote(value) + " holds half a character (a surrogate without the other)");
        }
        return value;
    }

    static void within(String option, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(option + ": " + value + " is not within " + least + " to " + most);
        }
    }
}
