// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.profile;

import dev.caisson.linux.Arch;
import java.util.Comparator;
import java.util.Set;
import java.util.regex.Pattern;

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

    /** The first two numbers of a kernel's release, as {@code 6.18}. */
    public record KernelVersion(int major, int minor) implements Comparable<KernelVersion> {
        private static final Pattern FORM = Pattern.compile("(\\d{1,4})\\.(\\d{1,4})([.+-].*)?");

        /**
         * {@return the version of a release such as {@code 6.18.44-generic}}
         *
         * @throws IllegalArgumentException if it is none
         */
        public static KernelVersion of(String release) {
            var match = FORM.matcher(release);
            if (!match.matches()) {
                throw new IllegalArgumentException("kernel: \"" + release + "\" is not a version such as 6.18");
            }
            return new KernelVersion(Integer.parseInt(match.group(1)), Integer.parseInt(match.group(2)));
        }

        /** {@return the version of the running kernel} */
        public static KernelVersion running() {
            return of(System.getProperty("os.version"));
        }

        @Override
        public int compareTo(KernelVersion other) {
            return Comparator.comparingInt(KernelVersion::major)
                    .thenComparingInt(KernelVersion::minor)
                    .compare(this, other);
        }

        @Override
        public String toString() {
            return major + "." + minor;
        }
    }
}
