// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.call.Arg;
import dev.caisson.overlay.mount.LayerStack;
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
 * @param stack whether the lowest layers are merged first
 * @param topDirectories what a new writable layer has at the top from the beginning
 * @param top what the top of a new writable layer is to be, by ids inside; empty: root's, 0755
 * @param sources what the sources of bind mounts are
 * @param cgroupFiles the slots of version 1 {@code cgroup.procs} files the child must enter by
 * @param seccompFilters in the order in which they are installed
 * @param part of the launch that is planned
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
        LayerStack stack,
        Optional<TopDirectory> top,
        List<HostTree.Entry> topDirectories,
        Map<Path, SourceKind> sources,
        List<Arg.Slot> cgroupFiles,
        List<FilterProgram> seccompFilters,
        Part part) {

    /** How much of a launch is planned. */
    public enum Part {
        /** All of it, up to the execve. */
        WHOLE,

        /** All that comes before the command: the child waits then. */
        PREPARATION,

        /** What a prepared child still has to do: its descriptors, limits, user, filters, and the execve. */
        START
    }

    /** {@return this launch as far as it does not depend on the command} */
    public PlanInput preparation() {
        return with(spec, List.of(), principal, Part.PREPARATION);
    }

    /**
     * {@return the rest of this launch, for a command}
     *
     * @param process may differ in what the preparation does not look at
     * @param user as whom the command runs, which is known by now
     */
    public PlanInput start(ProcessSpec process, List<String> command, Principal user) {
        return with(ImmutableContainerSpec.copyOf(spec).withProcess(process), command, Optional.of(user), Part.START);
    }

    private PlanInput with(ContainerSpec described, List<String> run, Optional<Principal> user, Part planned) {
        return new PlanInput(
                described,
                run,
                host,
                fresh,
                idMap,
                idmappedLayers,
                user,
                hostTree,
                stack,
                top,
                topDirectories,
                sources,
                cgroupFiles,
                seccompFilters,
                planned);
    }

    /** {@return the host's ids of the command's user; empty if they are this process's own, or this process may give nothing away} */
    public Optional<SafeTree.Owner> onHost(Principal user) {
        boolean isSet = !spec.bare()
                || spec.process().user().isPresent()
                || !spec.process().groups().isEmpty();
        var map = idMapInside();
        if (!isSet || !host.can(Capability.CHOWN) || joins(Namespace.USER) && map.isEmpty()) {
            return Optional.empty();
        }
        var uid = map.isPresent() ? map.get().uidOutside(user.uid()) : OptionalLong.of(user.uid());
        var gid = map.isPresent() ? map.get().gidOutside(user.gid()) : OptionalLong.of(user.gid());
        boolean own =
                uid.isPresent() && uid.getAsLong() == host.uid() && gid.isPresent() && gid.getAsLong() == host.gid();
        return own || uid.isEmpty() || gid.isEmpty()
                ? Optional.empty()
                : Optional.of(new SafeTree.Owner(uid.getAsLong(), gid.getAsLong()));
    }

    /** {@return where the terminal of the command comes from, if it has one} */
    public Optional<TerminalOrigin> terminalOrigin() {
        if (spec.process().terminal().isEmpty()) {
            return Optional.empty();
        }
        if (!spec.hasOwnTerminals()) {
            return Optional.of(TerminalOrigin.HOST);
        }
        return Optional.of(spec.hasOwnRoot() ? TerminalOrigin.CONTAINER : TerminalOrigin.JOINED);
    }

    /** {@return the map of the user namespace that the command lives in, if that is not the JVM's and is known} */
    Optional<IdMap> idMapInside() {
        return idMap.isPresent() ? idMap : spec.namespaces().joinedIdMap();
    }

    /**
     * {@return whether a process of ours stands between the command and the JVM, which gets back what the command starts and
     * what loses its parent: where neither a PID namespace nor a cgroup of its own, which it cannot leave, holds all that together}
     */
    public boolean hasReaper() {
        return (spec.entered() || !spec.namespaces().joins().isEmpty())
                && !isFresh(Namespace.PID)
                && !spec.hasInit()
                && (!spec.limits().hasCgroup() || spec.limits().leavable());
    }

    boolean isFresh(Namespace namespace) {
        return fresh.contains(namespace);
    }

    boolean joins(Namespace namespace) {
        return spec.namespaces().joined(namespace).isPresent();
    }

    /** {@return whether the command lives in a user namespace other than the first one of the host} */
    public boolean inUserNamespace() {
        return isFresh(Namespace.USER) || joins(Namespace.USER) || host.isInUserNamespace();
    }
}
