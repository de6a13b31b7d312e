// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import java.util.OptionalInt;

/**
 * Whom a command runs as: names or numbers, as {@code docker run --user} takes them. Names are looked up in the
 * container's own {@code /etc/passwd} and {@code /etc/group}, never in the host's.
 *
 * @param user a name or a number
 * @param group a name, a number, or empty: the user's group of {@code /etc/passwd}, else 0
 */
public record UserSpec(String user, String group) {
    public UserSpec {
        check(user, "user");
        if (user.isEmpty()) {
            throw new IllegalArgumentException("user: the name is empty");
        }
        check(group, "group");
    }

    private static void check(String name, String what) {
        boolean bad = name.chars().anyMatch(c -> c <= ' ' || c == ':' || c == '/' || c == 127);
        if (bad || name.startsWith("-")) {
            throw new IllegalArgumentException(what + ": \"" + name + "\" is neither a name nor a number");
        }
        if (!name.isEmpty() && Character.isDigit(name.charAt(0)) && number(name).isEmpty()) {
            throw new IllegalArgumentException(what + ": \"" + name + "\" is not a number of 0 to 2147483647");
        }
    }

    /** {@return the numbers of a user and a group} */
    public static UserSpec of(int uid, int gid) {
        if (uid < 0 || gid < 0) {
            throw new IllegalArgumentException("user: " + uid + ":" + gid + " is negative");
        }
        return new UserSpec(Integer.toString(uid), Integer.toString(gid));
    }

    /** {@return the user and group of {@code "user"} or {@code "user:group"}} */
    public static UserSpec parse(String text) {
        int colon = text.indexOf(':');
        if (colon == text.length() - 1) {
            throw new IllegalArgumentException("user: \"" + text + "\" lacks a group after the colon");
        }
        return colon < 0 ? new UserSpec(text, "") : new UserSpec(text.substring(0, colon), text.substring(colon + 1));
    }

    /** {@return a text as a number, if it is one} */
    public static OptionalInt number(String text) {
        try {
            return text.isEmpty() || !Character.isDigit(text.charAt(0))
                    ? OptionalInt.empty()
                    : OptionalInt.of(Integer.parseInt(text));
        } catch (NumberFormatException notANumber) {
            return OptionalInt.empty(); // The caller says what is wrong with it.
        }
    }

    @Override
    public String toString() {
        return group.isEmpty() ? user : user + ":" + group;
    }
}
