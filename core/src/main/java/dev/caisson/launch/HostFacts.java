// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.Feature;
import dev.caisson.spec.Capability;
import dev.caisson.spec.IdMap;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What planning needs to know of this JVM's process and kernel. Plain data, so that a test can plan for another host.
 *
 * @param effective the capabilities the JVM holds in its own user namespace
 * @param subordinateUids ranges of /etc/subuid that are this user's, {@code inside} unused
 * @param subordinateGids likewise of /etc/subgid
 * @param memory the bytes of memory that the kernel manages
 * @param openFiles the soft limit of open files that containers get; empty: what the JVM has
 * @param has whether the kernel has a feature; asked only when a plan needs to know
 */
public record HostFacts(
        long uid,
        long gid,
        Set<Capability> effective,
        List<IdMap.Range> subordinateUids,
        List<IdMap.Range> subordinateGids,
        int lastCapability,
        long memory,
        OptionalLong openFiles,
        Predicate<Feature> has) {

    /** {@return whether mounts, host names and namespaces need no user namespace first} */
    public boolean isPrivileged() {
        return effective.contains(Capability.SYS_ADMIN);
    }

    boolean can(Capability capability) {
        return effective.contains(capability);
    }
}
