// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.profile;

import dev.caisson.linux.Arch;
import java.util.Set;

/**
 * For which container a profile is made into a policy.
 *
 * @param architectures empty: those that the profile names for this host
 * @param capabilities names of the bounding set, as {@code CAP_SYS_ADMIN}
 * @param kernel what {@code minKernel} is compared with
 */
public record Target(Set<Arch> architectures, Set<String> capabilities, KernelVersion kernel) {
    public Target {
        architectures = Set.copyOf(architectures);
        capabilities = Set.copyOf(capabilities);
    }

    /** {@return this host, for a container with some capabilities} */
    public static Target host(Set<String> capabilities) {
        return new Target(Set.of(), capabilities, KernelVersion.running());
    }
}
