// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.overlay.tree.SafeTree;
import java.io.IOException;
import java.util.Optional;

/** Gives a container its own cgroup to divide, where it cannot change its own limits by that. */
final class Delegation {
    private Delegation() {}

    /**
     * @param owner the root of the container's user namespace, if that is not the owner of the cgroup already
     * @throws CgroupException if nothing would keep the container from lifting its limits
     */
    static void of(Cgroup cgroup, Optional<SafeTree.Owner> owner) throws IOException {
        if (owner.isPresent() && owner.get().uid() != 0) {
            // The files of its limits stay root's, the host's, which its own root is not.
            cgroup.delegate(
                    Math.toIntExact(owner.get().uid()),
                    Math.toIntExact(owner.get().gid()));
        } else if (cgroup.directory("").isEmpty() || !CgroupMounts.namespacesAreBoundaries()) {
            throw new CgroupException(
                    cgroup.directory("").isEmpty() ? Reason.NOT_IN_THIS_VERSION : Reason.NOT_DELEGATED,
                    "delegateCgroup",
                    "it requires cgroup version 2, mounted with nsdelegate: else the container, whose root owns the files, could lift"
                            + " its own limits; mount -o remount,nsdelegate it, or as root call newUser()",
                    null);
        }
    }
}
