// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.text;

import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;

/** Processors or memory nodes by their numbers, in the kernel's notation: {@code 0-3,8}. */
public final class NumberList {
    private static final int MOST = 8191;

    private NumberList() {}

    /**
     * Reads the kernel's notation.
     *
     * @param option begins the message of a refusal
     * @throws IllegalArgumentException if it is not such a list, or goes past 8191
     */
    public static SortedSet<Integer> parse(String option, String text) {
        var numbers = new TreeSet<Integer>();
        if (!text.isBlank()) {
            for (String part : text.strip().split(",", -1)) {
                int dash = part.indexOf('-');
                int first = number(option, text, dash < 0 ? part : part.substring(0, dash));
                int last = dash < 0 ? first : number(option, text, part.substring(dash + 1));
                if (first > last) {
                    throw refused(option, text);
                }
                for (int n = first; n <= last; n++) {
                    numbers.add(n);
                }
            }
        }
        return Collections.unmodifiableSortedSet(numbers);
    }

    private static int number(String option, String text, String part) {
        if (part.isEmpty() || part.length() > 4 || !part.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw refused(option, text);
        }
        int number = Integer.parseInt(part);
        if (number > MOST) {
            throw refused(option, text);
        }
        return number;
    }

    private static IllegalArgumentException refused(String option, String text) {
        return new IllegalArgumentException(
                option + ": \"" + text + "\" is not a list such as \"0-3,8\" of numbers up to " + MOST);
    }

    /**
     * {@return numbers that a process can run on, as they are now}
     *
     * @throws IllegalArgumentException if there are none, or one is not within 0 to 8191
     */
    public static SortedSet<Integer> checked(String option, SortedSet<Integer> numbers) {
        var copy = Collections.unmodifiableSortedSet(new TreeSet<>(numbers));
        if (copy.isEmpty()) {
            throw new IllegalArgumentException(option + ": the list is empty; a process could run nowhere");
        }
        if (copy.first() < 0 || copy.last() > MOST) {
            throw new IllegalArgumentException(option + ": " + copy + " has numbers that are not within 0 to " + MOST);
        }
        return copy;
    }

    /** {@return the kernel's notation, with ranges as long as they get} */
    public static String text(SortedSet<Integer> numbers) {
        var out = new StringBuilder();
        int first = -1;
        int last = -1;
        for (int n : numbers) {
            if (last >= 0 && n == last + 1) {
                last = n;
                continue;
            }
            append(out, first, last);
            first = n;
            last = n;
        }
        append(out, first, last);
        return out.toString();
    }

    private static void append(StringBuilder out, int first, int last) {
        if (first >= 0) {
            out.append(out.isEmpty() ? "" : ",").append(first);
            if (last > first) {
                out.append('-').append(last);
            }
        }
    }
}
