// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.cgroups.spec.Limits;
import dev.caisson.overlay.Branch;
import dev.caisson.overlay.Overlay;
import dev.caisson.seccomp.FilterProgram;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Join;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.Securebit;
import dev.caisson.spec.Stdio;
import dev.caisson.spec.UserSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.immutables.value.Value;

/** Everything a launch needs but the command: the value behind the builder. What is absent was not asked for. */
@Value.Immutable
@Value.Style(jdkOnly = true, jakarta = false)
public interface ContainerSpec {
    /** Namespaces made for the container. */
    Set<Namespace> newNamespaces();

    /** Namespaces that are the host's because somebody said so, against what other settings would imply. */
    Set<Namespace> hostNamespaces();

    List<Join> joins();

    /** The map of a new user namespace; empty: the widest map the caller may have without weakening isolation. */
    Optional<IdMap> idMap();

    Optional<String> hostname();

    Optional<String> domainName();

    Optional<Duration> monotonicOffset();

    Optional<Duration> bootTimeOffset();

    @Value.Default
    default Root root() {
        return new Root.OfHost();
    }

    @Value.Default
    default boolean readOnlyRoot() {
        return false;
    }

    /** Whether layers are shown with the ids of the container's user namespace. */
    @Value.Default
    default boolean idmappedLayers() {
        return false;
    }

    /** Whether its own cgroup is mounted, to be divided by whoever is root in it. */
    @Value.Default
    default boolean delegatesCgroup() {
        return false;
    }

    /** Whether proc, sysfs, a minimal /dev and the rest of {@link KernelMounts} are mounted. */
    @Value.Default
    default boolean kernelMounts() {
        return true;
    }

    /** The branch whose directories the root uses, if it still does. */
    Optional<Branch> branch();

    /** Whether the JVM keeps the root for the sake of its files. */
    @Value.Default
    default boolean keepsRoot() {
        return false;
    }

    List<Mount> mounts();

    List<String> maskedPaths();

    List<String> readOnlyPaths();

    Map<String, String> environment();

    Optional<String> workingDirectory();

    Optional<String> argv0();

    Optional<UserSpec> user();

    /** Supplementary groups by name or number. */
    List<String> groups();

    @Value.Default
    default int umask() {
        return 022;
    }

    OptionalInt nice();

    OptionalInt oomScoreAdj();

    List<Rlimit> rlimits();

    /** Whether PID 1 is an init of ours that reaps orphans and forwards signals. */
    @Value.Default
    default boolean init() {
        return false;
    }

    Optional<Stdio> stdin();

    Optional<Stdio> stdout();

    Optional<Stdio> stderr();

    /** More descriptors for the command, by their number inside, which is 3 or more. */
    Map<Integer, Stdio> descriptors();

    /** Empty: the capabilities of the caller are left alone. */
    Optional<Capabilities> capabilities();

    @Value.Default
    default boolean noNewPrivileges() {
        return true;
    }

    Set<Securebit> securebits();

    /** Seccomp filters, installed in this order. */
    List<FilterProgram> seccompFilters();

    /** The policy whose supervisors answer; of the filters, its program is the one with NEW_LISTENER. */
    Optional<Seccomp> supervised();

    /** Whether Docker's default policy for the bounding set is installed, where there is no other filter. */
    @Value.Default
    default boolean standardSeccomp() {
        return false;
    }

    Optional<Limits> limits();

    Optional<String> cgroupParent();

    Optional<Duration> timeout();

    /** Whether only what is named is done: no implied namespace, no default mount, nothing dropped. */
    @Value.Default
    default boolean bare() {
        return false;
    }

    /** Where the root file system comes from. */
    sealed interface Root {
        /** The host's root as it is. */
        record OfHost() implements Root {}

        /** A directory used as it is. */
        record Directory(Path path) implements Root {}

        /** Layers under a writable one. */
        record Layers(Overlay overlay) implements Root {}

        /**
         * Layers that were merged before the launch, because the kernel would not merge them in it.
         *
         * @param directory of the merged tree; empty: the launch has it as a mount
         */
        record Merged(Overlay overlay, Optional<Path> directory) implements Root {}
    }

    /** {@return whether the container has a root of its own} */
    @Value.Derived
    default boolean hasOwnRoot() {
        return !(root() instanceof Root.OfHost);
    }

    /** {@return how a namespace is joined, if it is} */
    default Optional<Join> joined(Namespace namespace) {
        return joins().stream().filter(j -> j.namespace() == namespace).findFirst();
    }
}
