// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.spec.IdMap;
import dev.caisson.spec.Join;
import dev.caisson.spec.Namespace;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a running container is like inside, for commands that enter it.
 *
 * @param spec its description
 * @param namespaces those that are not the JVM's
 * @param idMap of its user namespace, if that is known and not the JVM's
 * @param hasTerminals whether it has a devpts of its own
 */
public record InsideSpec(ContainerSpec spec, Set<Namespace> namespaces, Optional<IdMap> idMap, boolean hasTerminals) {
    /**
     * {@return what a container is like that was launched}
     *
     * @param spec as it was started
     */
    public static InsideSpec of(PlanInput launched, ContainerSpec spec) {
        var namespaces = EnumSet.noneOf(Namespace.class);
        namespaces.addAll(launched.fresh());
        launched.spec().namespaces().joins().forEach(join -> namespaces.add(join.namespace()));
        return new InsideSpec(spec, namespaces, launched.idMap(), spec.hasOwnTerminals());
    }

    /** {@return a command in it of which nothing was said} */
    public ContainerSpec command(Join.Held process) {
        var joins = new ArrayList<Join>();
        namespaces.forEach(namespace -> joins.add(new Join.OfHeld(namespace, process)));
        return ImmutableContainerSpec.builder()
                .bare(spec.bare())
                .entered(true)
                .joinsTerminals(hasTerminals)
                .root(ImmutableRootSpec.builder().kernelMounts(false).build())
                .namespaces(ImmutableNamespaceSpec.builder()
                        .joins(joins)
                        .host(EnumSet.complementOf(copy(namespaces)))
                        .joinedIdMap(idMap)
                        .build())
                .process(ImmutableProcessSpec.builder()
                        .environment(environment())
                        .workingDirectory(spec.process().workingDirectory())
                        .user(spec.process().user())
                        .groups(spec.process().groups())
                        .umask(spec.process().umask())
                        .nice(spec.process().nice())
                        .oomScoreAdj(spec.process().oomScoreAdj())
                        .rlimits(spec.process().rlimits())
                        .build())
                .privileges(spec.privileges())
                .limits(ImmutableLimitSpec.builder()
                        .leavable(spec.limits().delegated())
                        .build())
                .build();
    }

    private static EnumSet<Namespace> copy(Set<Namespace> namespaces) {
        var copy = EnumSet.noneOf(Namespace.class);
        copy.addAll(namespaces);
        return copy;
    }

    private Map<String, String> environment() {
        var environment = new LinkedHashMap<String, String>();
        if (!spec.bare()) {
            spec.namespaces().hostnameInside().ifPresent(name -> environment.put(Environment.HOSTNAME, name));
        }
        environment.putAll(spec.process().environment());
        return environment;
    }
}
