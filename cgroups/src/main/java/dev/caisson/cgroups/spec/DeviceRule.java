// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import java.util.Collections;
import java.util.EnumSet;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Allows or denies access to devices.
 *
 * @param major empty: every
 * @param minor empty: every
 * @param access not empty
 */
public record DeviceRule(boolean allowed, Type type, OptionalInt major, OptionalInt minor, Set<Access> access) {
    private static final Pattern TEXT = Pattern.compile("([abc]) (\\*|[0-9]{1,4}):(\\*|[0-9]{1,7}) ([rwm]{1,3})");

    /** Which devices. */
    public enum Type {
        /** Both kinds. */
        ALL('a'),
        /** Disks and the like. */
        BLOCK('b'),
        /** Everything else. */
        CHARACTER('c');

        private final char letter;

        Type(char letter) {
            this.letter = letter;
        }

        /** {@return the kernel's letter} */
        public char letter() {
            return letter;
        }
    }

    /** What is done with a device. */
    public enum Access {
        /** To open it for reading. */
        READ('r'),
        /** To open it for writing. */
        WRITE('w'),
        /** To make a file for it. */
        MKNOD('m');

        private final char letter;

        Access(char letter) {
            this.letter = letter;
        }

        /** {@return the kernel's letter} */
        public char letter() {
            return letter;
        }
    }

    public DeviceRule {
        major.ifPresent(n -> {
            var _ = Check.within("devices major", n, 0, 0xfff);
        });
        minor.ifPresent(n -> {
            var _ = Check.within("devices minor", n, 0, 0xfffff);
        });
        if (access.isEmpty()) {
            throw new IllegalArgumentException("devices: a rule without access; give some of r, w and m");
        }
        access = Collections.unmodifiableSet(EnumSet.copyOf(access));
    }

    /**
     * {@return a rule that allows}
     *
     * @param text as the kernel writes it, such as {@code "c 1:3 rw"} or {@code "b *:* m"}
     */
    public static DeviceRule allow(String text) {
        return parse(true, text);
    }

    /**
     * {@return a rule that denies}
     *
     * @param text as the kernel writes it, such as {@code "a *:* rwm"}
     */
    public static DeviceRule deny(String text) {
        return parse(false, text);
    }

    private static DeviceRule parse(boolean allowed, String text) {
        var match = TEXT.matcher(text);
        if (!match.matches()) {
            throw new IllegalArgumentException("devices: \"" + text
                    + "\" is not a rule such as \"c 1:3 rwm\", with a, b or c, numbers or *, and some of r, w, m");
        }
        var type = switch (match.group(1)) {
            case "a" -> Type.ALL;
            case "b" -> Type.BLOCK;
            default -> Type.CHARACTER;
        };
        var access = EnumSet.noneOf(Access.class);
        for (var one : Access.values()) {
            if (match.group(4).indexOf(one.letter()) >= 0) {
                access.add(one);
            }
        }
        return new DeviceRule(allowed, type, number(match.group(2)), number(match.group(3)), access);
    }

    private static OptionalInt number(String text) {
        return text.equals("*") ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(text));
    }

    /** {@return whether it speaks of a device} */
    public boolean matches(Type kind, int deviceMajor, int deviceMinor) {
        return (type == Type.ALL || type == kind)
                && (major.isEmpty() || major.getAsInt() == deviceMajor)
                && (minor.isEmpty() || minor.getAsInt() == deviceMinor);
    }

    /** {@return the kernel's text, without the verdict} */
    public String text() {
        var out = new StringBuilder().append(type.letter()).append(' ');
        out.append(major.isPresent() ? Integer.toString(major.getAsInt()) : "*").append(':');
        out.append(minor.isPresent() ? Integer.toString(minor.getAsInt()) : "*").append(' ');
        access.forEach(a -> out.append(a.letter()));
        return out.toString();
    }

    @Override
    public String toString() {
        return (allowed ? "allow " : "deny ") + text();
    }
}
