// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.learning;

import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.seccomp.profile.SeccompProfile;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a {@link Recording} came to.
 *
 * @param policy allows what was seen, and what programs need at times that no run need show, such as to return from a signal
 * @param counts how often each call was made
 * @param unknown numbers that were called and mean nothing to this version; they are not allowed
 */
public record Learned(Seccomp policy, Map<Syscall, Long> counts, Set<Integer> unknown) {
    public Learned {
        SortedMap<Syscall, Long> sorted = new TreeMap<>(counts);
        counts = Collections.unmodifiableSortedMap(sorted);
        unknown = Collections.unmodifiableSet(new LinkedHashSet<>(unknown));
    }

    /** {@return the policy as Java: an expression of type {@link Seccomp}} */
    public String toJava() {
        return JavaSource.of(policy);
    }

    /** {@return the policy as a Java file: a class with a static method {@code policy()}, to be put into a package} */
    public String toJava(String className) {
        if (!className.matches("\\p{javaJavaIdentifierStart}\\p{javaJavaIdentifierPart}*")) {
            throw new IllegalArgumentException("class name: \"" + className + "\" is none");
        }
        return JavaSource.file(policy, className);
    }

    /** {@return the policy as JSON that Docker and OCI runtimes read} */
    public String toJson() {
        return SeccompProfile.of(policy).toJson();
    }
}
