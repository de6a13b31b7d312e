// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

/** What several options refuse alike, each with its own name in the message. */
final class Checks {
    private Checks() {}

    static String noNul(String option, String value) {
        if (value.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(option + ": \"" + value.replace('\0', '\u2400') + "\" holds NUL");
        }
        return value;
    }

    static void within(String option, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(option + ": " + value + " is not within " + least + " to " + most);
        }
    }
}
