// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.seccomp.FilterProgram;
import dev.caisson.spec.Capability;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** Docker's default seccomp policy as a program, made once for each set of capabilities. Thread-safe. */
final class StandardFilters {
    private final ConcurrentHashMap<Set<Capability>, FilterProgram> compiled = new ConcurrentHashMap<>();

    /** {@return the program for a container that can have these capabilities and no other} */
    FilterProgram of(Set<Capability> bounding) {
        var known = compiled.get(bounding);
        return known != null ? known : compiled.computeIfAbsent(copy(bounding), StandardFilters::compile);
    }

    private static Set<Capability> copy(Set<Capability> capabilities) {
        var copy = EnumSet.noneOf(Capability.class);
        copy.addAll(capabilities);
        return copy;
    }

    private static FilterProgram compile(Set<Capability> capabilities) {
        var names = capabilities.stream().map(c -> "CAP_" + c.name()).collect(Collectors.toSet());
        return FilterProgram.standard(names);
    }
}
