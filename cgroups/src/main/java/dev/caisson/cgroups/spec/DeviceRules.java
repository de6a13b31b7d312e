// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Which devices may be used: what no rule speaks of is denied, and of several rules that speak of the same access to the
 * same device the last counts. Version 1 has files for it, version 2 an eBPF program (root, Linux 4.15).
 */
public record DeviceRules(List<Rule> rules) implements Limit {
    public DeviceRules {
        rules = List.copyOf(rules);
    }

    /** {@return rules, the last of which counts} */
    public static DeviceRules of(Rule... rules) {
        return new DeviceRules(List.of(rules));
    }

    /**
     * {@return what the OCI runtimes always allow} Device files of any kind may be made but not opened, except null, zero,
     * full, random, urandom, tty, console, ptmx and pseudo terminals.
     */
    public static DeviceRules standard() {
        return of(
                Rule.allow("c *:* m"),
                Rule.allow("b *:* m"),
                Rule.allow("c 1:3 rwm"),
                Rule.allow("c 1:5 rwm"),
                Rule.allow("c 1:7 rwm"),
                Rule.allow("c 1:8 rwm"),
                Rule.allow("c 1:9 rwm"),
                Rule.allow("c 5:0 rwm"),
                Rule.allow("c 5:1 rwm"),
                Rule.allow("c 5:2 rwm"),
                Rule.allow("c 136:* rwm"));
    }

    /** {@return these and one more, which counts before them} */
    public DeviceRules and(Rule rule) {
        var more = new ArrayList<>(rules);
        more.add(rule);
        return new DeviceRules(more);
    }

    /**
     * {@return whether all of an access is allowed}
     *
     * @param type block or character
     * @param access empty, as for stat-like checks: allowed if any is
     */
    public boolean allows(Rule.Type type, int major, int minor, Set<Rule.Access> access) {
        if (access.isEmpty()) {
            return rules.stream().anyMatch(r -> r.allowed() && r.matches(type, major, minor));
        }
        return access.stream()
                .allMatch(one -> rules.stream()
                        .filter(r -> r.matches(type, major, minor) && r.access().contains(one))
                        .reduce((_, later) -> later)
                        .map(Rule::allowed)
                        .orElse(false));
    }

    @Override
    public String option() {
        return "devices";
    }

    @Override
    public String controller() {
        return "devices";
    }

    /**
     * Allows or denies access to devices.
     *
     * @param major empty: every
     * @param minor empty: every
     * @param access not empty
     */
    public record Rule(boolean allowed, Type type, OptionalInt major, OptionalInt minor, Set<Access> access) {
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

        public Rule {
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
        public static Rule allow(String text) {
            return parse(true, text);
        }

        /**
         * {@return a rule that denies}
         *
         * @param text as the kernel writes it, such as {@code "a *:* rwm"}
         */
        public static Rule deny(String text) {
            return parse(false, text);
        }

        private static Rule parse(boolean allowed, String text) {
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
            return new Rule(allowed, type, number(match.group(2)), number(match.group(3)), access);
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
            out.append(major.isPresent() ? Integer.toString(major.getAsInt()) : "*")
                    .append(':');
            out.append(minor.isPresent() ? Integer.toString(minor.getAsInt()) : "*")
                    .append(' ');
            access.forEach(a -> out.append(a.letter()));
            return out.toString();
        }

        @Override
        public String toString() {
            return (allowed ? "allow " : "deny ") + text();
        }
    }
}
