// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Which devices may be used: what no rule speaks of is denied, and of several rules that speak of the same access to the
 * same device the last counts. Version 1 has files for it, version 2 an eBPF program (root, Linux 4.15).
 */
public record DeviceRules(List<DeviceRule> rules) implements Limit {
    public DeviceRules {
        rules = List.copyOf(rules);
    }

    public static DeviceRules of(DeviceRule... rules) {
        return new DeviceRules(List.of(rules));
    }

    /**
     * {@return what the OCI runtimes always allow} Device files of any kind may be made but not opened, except null, zero,
     * full, random, urandom, tty, console, ptmx and pseudo terminals.
     */
    public static DeviceRules standard() {
        return of(
                DeviceRule.allow("c *:* m"),
                DeviceRule.allow("b *:* m"),
                DeviceRule.allow("c 1:3 rwm"),
                DeviceRule.allow("c 1:5 rwm"),
                DeviceRule.allow("c 1:7 rwm"),
                DeviceRule.allow("c 1:8 rwm"),
                DeviceRule.allow("c 1:9 rwm"),
                DeviceRule.allow("c 5:0 rwm"),
                DeviceRule.allow("c 5:1 rwm"),
                DeviceRule.allow("c 5:2 rwm"),
                DeviceRule.allow("c 136:* rwm"));
    }

    /** {@return these and one more, which counts before them} */
    public DeviceRules and(DeviceRule rule) {
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
    public boolean allows(DeviceRule.Type type, int major, int minor, Set<DeviceRule.Access> access) {
        if (access.isEmpty()) {
            return rules.stream().anyMatch(r -> r.allowed() && r.matches(type, major, minor));
        }
        return access.stream()
                .allMatch(one -> rules.stream()
                        .filter(r -> r.matches(type, major, minor) && r.access().contains(one))
                        .reduce((_, later) -> later)
                        .map(DeviceRule::allowed)
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
}
