// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.spec.Namespace;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/** What settings imply beyond what they say. Only ever in the safe direction: nothing here weakens isolation. */
final class Implied {
    private Implied() {}

    /** {@return the namespaces the container gets new} */
    static Set<Namespace> namespaces(ContainerSpec spec, HostFacts host) {
        var all = namespaces(spec);
        if (!all.isEmpty() && !host.isPrivileged()) {
            // An ordinary user may make every other namespace, but only inside a user namespace of its own.
            imply(all, spec, Namespace.USER);
        }
        return Collections.unmodifiableSet(all);
    }

    /** {@return the namespaces that settings alone imply, whoever asks} */
    static Set<Namespace> namespaces(ContainerSpec spec) {
        var all = EnumSet.noneOf(Namespace.class);
        all.addAll(spec.namespaces().fresh());
        for (var namespace : spec.namespaces().preset()) {
            imply(all, spec, namespace);
        }
        if (spec.root().changesMounts()) {
            imply(all, spec, Namespace.MOUNT);
        }
        if (spec.namespaces().isNamed()) {
            imply(all, spec, Namespace.UTS);
        }
        if (spec.namespaces().shiftsClocks()) {
            imply(all, spec, Namespace.TIME);
        }
        if (spec.namespaces().idMap().isPresent()) {
            imply(all, spec, Namespace.USER);
        }
        if (!spec.bare() || spec.process().init().orElse(false)) {
            // Ending a container ends all of it, which only a PID namespace promises.
            imply(all, spec, Namespace.PID);
        }
        return all;
    }

    private static void imply(Set<Namespace> all, ContainerSpec spec, Namespace namespace) {
        if (spec.namespaces().leavesOpen(namespace)) {
            all.add(namespace);
        }
    }
}
