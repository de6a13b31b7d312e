// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.Feature;
import dev.caisson.spec.Capability;
import dev.caisson.spec.IdMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What planning needs to know of this JVM's process and kernel. Plain data, so that a test can plan for another host.
 *
 * @param ids those of the user namespace that the JVM is in, {@code outside} those of the one above
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
        IdMap ids,
        Set<Capability> effective,
        List<IdMap.Range> subordinateUids,
        List<IdMap.Range> subordinateGids,
        int lastCapability,
        long memory,
        OptionalLong openFiles,
        Predicate<Feature> has) {

    /** The ids of who is in no user namespace but the first. */
    public static final IdMap ALL_IDS = IdMap.range(0, 0, 0xffff_ffffL);

    /** {@return whether the JVM is in a user namespace of its own or somebody else's, beyond the first one} */
    boolean isInUserNamespace() {
        return !ids.equals(ALL_IDS);
    }

    /** {@return the first id that a map gives and the JVM's own user namespace does not have} */
    Optional<String> lacks(IdMap map) {
        return lacks("user", ids.uids(), map.uids()).or(() -> lacks("group", ids.gids(), map.gids()));
    }

    private static Optional<String> lacks(String what, List<IdMap.Range> here, List<IdMap.Range> given) {
        for (var range : given) {
            long id = range.outside();
            while (id < range.outside() + range.count()) {
                long wanted = id;
                var has = here.stream()
                        .filter(r -> wanted >= r.inside() && wanted < r.inside() + r.count())
                        .findFirst();
                if (has.isEmpty()) {
                    return Optional.of(what + " " + id);
                }
                id = has.get().inside() + has.get().count();
            }
        }
        return Optional.empty();
    }

    /** {@return whether mounts, host names and namespaces need no user namespace first} */
    public boolean isPrivileged() {
        return effective.contains(Capability.SYS_ADMIN);
    }

    boolean can(Capability capability) {
        return effective.contains(capability);
    }
}
