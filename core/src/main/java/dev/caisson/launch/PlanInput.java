// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.call.Arg;
import dev.caisson.overlay.mount.TopDirectory;
import dev.caisson.overlay.tree.SafeTree;
import dev.caisson.seccomp.FilterProgram;
import dev.caisson.spec.Capability;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Namespace;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What was decided before the first step is planned; every {@code *Steps} class reads this and nothing else.
 *
 * @param fresh the namespaces that are new
 * @param idMap the map of the new user namespace, if there is one
 * @param idmappedLayers whether layers are shown with the ids of the new user namespace
 * @param principal whom the command runs as; empty: the finished root is asked
 * @param hostTree the host's root as a layer inside a user namespace, if that is what is asked for
 * @param topDirectories what a new writable layer has at the top from the beginning
 * @param top what the top of a new writable layer is to be, by ids inside; empty: root's, 0755
 * @param sources what the sources of bind mounts are
 * @param cgroupFiles the slots of version 1 {@code cgroup.procs} files the child must enter by
 * @param seccompFilters in the order in which they are installed
 */
public record PlanInput(
        ContainerSpec spec,
        List<String> command,
        HostFacts host,
        Set<Namespace> fresh,
        Optional<IdMap> idMap,
        boolean idmappedLayers,
        Optional<Principal> principal,
        Optional<HostTree> hostTree,
        Optional<TopDirectory> top,
        List<HostTree.Entry> topDirectories,
        Map<Path, SourceKind> sources,
        List<Arg.Slot> cgroupFiles,
        List<FilterProgram> seccompFilters) {

    /** {@return the host's ids of the command's user; empty if they are this process's own, or this process may give nothing away} */
    public Optional<SafeTree.Owner> onHost(Principal user) {
        boolean isSet = !spec.bare()
                || spec.process().user().isPresent()
                || !spec.process().groups().isEmpty();
        if (!isSet || !host.can(Capability.CHOWN) || joins(Namespace.USER)) {
            return Optional.empty();
        }
        var uid = idMap.map(map -> map.uidOutside(user.uid())).orElse(OptionalLong.of(user.uid()));
        var gid = idMap.map(map -> map.gidOutside(user.gid())).orElse(OptionalLong.of(user.gid()));
        boolean own =
                uid.isPresent() && uid.getAsLong() == host.uid() && gid.isPresent() && gid.getAsLong() == host.gid();
        return own || uid.isEmpty() || gid.isEmpty()
                ? Optional.empty()
                : Optional.of(new SafeTree.Owner(uid.getAsLong(), gid.getAsLong()));
    }

    boolean isFresh(Namespace namespace) {
        return fresh.contains(namespace);
    }

    boolean joins(Namespace namespace) {
        return spec.namespaces().joined(namespace).isPresent();
    }

    /** {@return whether the command lives in a user namespace other than the JVM's} */
    public boolean inUserNamespace() {
        return isFresh(Namespace.USER) || joins(Namespace.USER);
    }
}
