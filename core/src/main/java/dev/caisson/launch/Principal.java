// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import java.util.List;

/** Whom a command runs as, in numbers of its user namespace, and where that user is at home. */
public record Principal(int uid, int gid, List<Integer> groups, String home) {
    public Principal {
        groups = List.copyOf(groups);
    }

    static Principal root() {
        return new Principal(0, 0, List.of(), "/root");
    }
}
