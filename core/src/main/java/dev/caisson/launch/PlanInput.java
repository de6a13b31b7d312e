// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.overlay.mount.TopDirectory;
import dev.caisson.seccomp.FilterProgram;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Namespace;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What was decided before the first step is planned; every {@code *Steps} class reads this and nothing else.
 *
 * @param fresh the namespaces that are new
 * @param idMap the map of the new user namespace, if there is one
 * @param principal whom the command runs as
 * @param hostTree the host's root as a layer inside a user namespace, if that is what is asked for
 * @param top what the top of a new writable layer is to be, by ids inside; empty: root's, 0755
 * @param cgroupFiles the launch parameters of version 1 {@code cgroup.procs} files the child must enter by
 * @param seccompFilters in the order in which they are installed
 */
public record PlanInput(
        ContainerSpec spec,
        List<String> command,
        HostFacts host,
        Set<Namespace> fresh,
        Optional<IdMap> idMap,
        Principal principal,
        Optional<HostTree> hostTree,
        Optional<TopDirectory> top,
        List<String> cgroupFiles,
        List<FilterProgram> seccompFilters) {

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
