// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.profile;

import dev.caisson.linux.Arch;
import dev.caisson.seccomp.Condition;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.seccomp.profile.SeccompProfile.Target.KernelVersion;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A seccomp profile in JSON, as Docker's {@code --security-opt seccomp=FILE} and the {@code linux.seccomp} object of the OCI
 * runtime specification have it. Everything that was read is kept, so that it can be written again.
 *
 * @param architectures names as {@code SCMP_ARCH_X86_64} (OCI)
 * @param archMap architectures with their sub-architectures (Docker); at most one of the two is not empty
 * @param listenerPath the socket of a supervisor for {@code SCMP_ACT_NOTIFY}; kept, not used here
 * @param notes what was understood but may surprise: unknown names and fields
 */
public record SeccompProfile(
        String defaultAction,
        OptionalInt defaultErrnoRet,
        List<String> architectures,
        Map<String, List<String>> archMap,
        Set<Filter.Flag> flags,
        Optional<String> listenerPath,
        Optional<String> listenerMetadata,
        List<ProfileRule> syscalls,
        List<String> notes) {
    public SeccompProfile {
        architectures = List.copyOf(architectures);
        archMap = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(archMap));
        flags = Set.copyOf(flags);
        syscalls = List.copyOf(syscalls);
        notes = List.copyOf(notes);
    }

    /**
     * {@return the profile in a text}
     *
     * @throws ProfileException if it is not a profile; the message says where
     */
    public static SeccompProfile parse(String json) throws ProfileException {
        return new ProfileReader(json).read();
    }

    /** {@return the profile in a file} */
    public static SeccompProfile read(Path file) throws IOException {
        return parse(Files.readString(file, StandardCharsets.UTF_8));
    }

    /** A policy for one container, and what of the profile did not come to anything. */
    public record Resolved(Seccomp policy, List<String> notes) {
        public Resolved {
            notes = List.copyOf(notes);
        }
    }

    /**
     * {@return the policy for a container: what does not include it, or excludes it, is left out}
     *
     * @throws ProfileException if rules contradict each other
     */
    public Resolved resolve(Target target) throws ProfileException {
        return new Resolver(this, target).resolve();
    }

    /**
     * {@return a profile with the same meaning as a policy}
     *
     * @throws IllegalArgumentException if a rule cannot be said in JSON: several conditions on one argument, all of which
     *     must hold
     */
    public static SeccompProfile of(Seccomp policy) {
        return Resolver.profile(policy);
    }

    /** {@return the profile as JSON} */
    public String toJson() {
        return ProfileWriter.write(this);
    }

    /**
     * An entry of {@code syscalls}.
     *
     * @param line where it was read; 0 if it was not
     * @param names of system calls, of any architecture
     * @param action as {@code SCMP_ACT_ALLOW}
     * @param arguments what is compared; if one argument is compared more than once, each comparison alone suffices, as in runc
     */
    public record ProfileRule(
            int line,
            List<String> names,
            String action,
            OptionalInt errnoRet,
            List<Condition> arguments,
            Optional<String> comment,
            Selection includes,
            Selection excludes) {
        public ProfileRule {
            names = List.copyOf(names);
            arguments = List.copyOf(arguments);
        }

        /**
         * For which containers an entry counts (Docker only).
         *
         * @param capabilities as {@code CAP_SYS_ADMIN}
         * @param arches as Go names them: {@code amd64}, {@code arm64}
         */
        public record Selection(List<String> capabilities, List<String> arches, Optional<KernelVersion> minKernel) {
            static final Selection ANY = new Selection(List.of(), List.of(), Optional.empty());

            public Selection {
                capabilities = List.copyOf(capabilities);
                arches = List.copyOf(arches);
            }

            boolean isAny() {
                return equals(ANY);
            }
        }
    }

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
}
