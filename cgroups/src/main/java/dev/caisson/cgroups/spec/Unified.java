// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import java.util.Set;
import java.util.regex.Pattern;

/**
 * A value for a file of version 2 by its name: for what has no name here. Written after all other limits.
 *
 * @param key such as {@code memory.high}; not one of the files by which processes and children are managed
 * @param value one line or several
 */
public record Unified(String key, String value) implements Limit {
    private static final Pattern KEY = Pattern.compile("[a-z][a-z0-9_]*(\\.[A-Za-z0-9_-]+)+");
    private static final Set<String> MANAGED = Set.of(
            "cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "cgroup.type", "cgroup.kill", "cgroup.freeze");

    public Unified {
        if (!KEY.matcher(key).matches()) {
            throw new IllegalArgumentException(
                    "unified: \"" + key + "\" is not the name of a file such as memory.high");
        }
        if (MANAGED.contains(key)) {
            throw new IllegalArgumentException("unified: " + key + " is not a limit; it manages processes or children");
        }
        if (value.isEmpty() || value.indexOf('\0') >= 0) {
            // An empty write means 0 to some files and nothing to others.
            throw new IllegalArgumentException("unified: the value for " + key + " is empty or holds NUL");
        }
    }

    @Override
    public String option() {
        return "unified";
    }

    @Override
    public String controller() {
        String prefix = key.substring(0, key.indexOf('.'));
        return prefix.equals("cgroup") ? "" : prefix;
    }

    @Override
    public String subject() {
        return key;
    }
}
