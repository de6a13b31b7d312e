// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v1;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.spec.DeviceRules;
import dev.caisson.cgroups.spec.DeviceRules.Rule;
import dev.caisson.cgroups.spec.DeviceRules.Rule.Access;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Device rules as the list of exceptions that version 1 has: devices.deny, devices.allow.
 *
 * <p>The kernel's list is weaker than rules of which the last counts: it denies everything and has exceptions that are
 * allowed. A rule that takes a part out of a wider one cannot be said in it, and is an error here. And an access is only
 * allowed if one exception has all of it, so that where exceptions overlap, their intersection is one too, with the access of
 * both.
 */
final class Devices {
    private static final Set<Access> EVERY = EnumSet.allOf(Access.class);
    private static final int MOST = 1024;

    private Devices() {}

    static List<Write> writes(DeviceRules rules) throws CgroupException {
        var writes = new ArrayList<Write>();
        writes.add(write("devices.deny", "a *:* rwm"));
        for (var exception : exceptions(rules)) {
            writes.add(write("devices.allow", exception.text()));
        }
        return writes;
    }

    /** {@return what is allowed, everything else being denied} */
    static List<Rule> exceptions(DeviceRules rules) throws CgroupException {
        var allowed = new ArrayList<Rule>();
        for (var rule : rules.rules()) {
            // "a" takes in both types for the kernel only as "all devices, all access"; as two rules it is exact.
            for (var type : rule.type() == Rule.Type.ALL
                    ? List.of(Rule.Type.BLOCK, Rule.Type.CHARACTER)
                    : List.of(rule.type())) {
                var single = new Rule(true, type, rule.major(), rule.minor(), rule.access());
                if (rule.allowed()) {
                    add(allowed, single);
                } else {
                    take(allowed, single, rule);
                }
            }
        }
        return allowed;
    }

    private static void add(List<Rule> allowed, Rule rule) throws CgroupException {
        merge(allowed, rule);
        // Until nothing changes: intersections may intersect.
        for (int i = 0; i < allowed.size(); i++) {
            for (int j = 0; j < i; j++) {
                var both = intersection(allowed.get(i), allowed.get(j));
                if (both != null && merge(allowed, both)) {
                    i = 0;
                    j = -1;
                    if (allowed.size() > MOST) {
                        throw new CgroupException(
                                Reason.NOT_IN_THIS_VERSION,
                                "devices",
                                "the rules become more than " + MOST + " in version 1; use fewer",
                                null);
                    }
                    break;
                }
            }
        }
    }

    /** {@return whether anything changed} */
    private static boolean merge(List<Rule> allowed, Rule rule) {
        for (int i = 0; i < allowed.size(); i++) {
            var old = allowed.get(i);
            if (old.type() == rule.type()
                    && old.major().equals(rule.major())
                    && old.minor().equals(rule.minor())) {
                if (old.access().containsAll(rule.access())) {
                    return false;
                }
                var sum = EnumSet.copyOf(old.access());
                sum.addAll(rule.access());
                allowed.set(i, new Rule(true, old.type(), old.major(), old.minor(), sum));
                return true;
            }
        }
        allowed.add(rule);
        return true;
    }

    private static @Nullable Rule intersection(Rule a, Rule b) {
        if (a.type() != b.type() || !meet(a.major(), b.major()) || !meet(a.minor(), b.minor())) {
            return null;
        }
        var sum = EnumSet.copyOf(a.access());
        sum.addAll(b.access());
        return new Rule(
                true,
                a.type(),
                a.major().isPresent() ? a.major() : b.major(),
                a.minor().isPresent() ? a.minor() : b.minor(),
                sum);
    }

    private static boolean meet(OptionalInt a, OptionalInt b) {
        return a.isEmpty() || b.isEmpty() || a.equals(b);
    }

    private static void take(List<Rule> allowed, Rule denied, Rule asWritten) throws CgroupException {
        for (int i = allowed.size() - 1; i >= 0; i--) {
            var old = allowed.get(i);
            if (intersection(old, denied) == null || old.access().stream().noneMatch(denied.access()::contains)) {
                continue;
            }
            boolean inside = (denied.major().isEmpty() || denied.major().equals(old.major()))
                    && (denied.minor().isEmpty() || denied.minor().equals(old.minor()));
            if (!inside) {
                throw new CgroupException(
                        Reason.NOT_IN_THIS_VERSION,
                        "devices",
                        "\"" + asWritten + "\" takes a part out of \"" + old
                                + "\", which the list of version 1 cannot say; allow the single devices instead",
                        null);
            }
            var left = EnumSet.copyOf(EVERY);
            left.retainAll(old.access());
            left.removeAll(denied.access());
            if (left.isEmpty()) {
                allowed.remove(i);
            } else {
                allowed.set(i, new Rule(true, old.type(), old.major(), old.minor(), left));
            }
        }
    }

    private static Write write(String file, String value) {
        return new Write("devices", "devices", file, value);
    }
}
