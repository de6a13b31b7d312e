// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.Feature;
import dev.caisson.linux.UnsupportedKernelException;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Directory;
import dev.caisson.linux.sys.Files;
import dev.caisson.overlay.mount.LayerStack;
import dev.caisson.overlay.mount.TopDirectory;
import dev.caisson.path.InsidePath;
import dev.caisson.seccomp.FilterProgram;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Namespace;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Decides what a description leaves open, refuses what contradicts itself, and plans. */
public final class Planner {
    private static final long RANGE = 65_536;

    /** Where systemd, too, puts the ids of containers (systemd-nspawn(1)); nothing else lives there. */
    private static final long UNCLAIMED_IDS = 0x8_0000;

    private final HostFacts host;
    private final StandardFilters standardFilters = new StandardFilters();
    private final HostRoot root = new HostRoot();

    public Planner(HostFacts host) {
        this.host = host;
    }

    /**
     * Plans the launch of a command.
     *
     * @param cgroupFiles the slots of the version 1 cgroup.procs files that the launch will bind
     * @throws IllegalStateException if settings contradict each other
     * @throws IOException if the user is not in the container's /etc/passwd, or the kernel lacks a feature
     */
    public LaunchPlan plan(ContainerSpec asked, List<String> command, List<Arg.Slot> cgroupFiles) throws IOException {
        return LaunchPlan.compile(decide(asked, command, cgroupFiles));
    }

    /** {@return all that a plan depends on} As {@link #plan}, which goes on from here without asking anybody anything. */
    public PlanInput decide(ContainerSpec asked, List<String> command, List<Arg.Slot> cgroupFiles) throws IOException {
        return decide(settle(asked), command, cgroupFiles);
    }

    /**
     * {@return all that a plan depends on}
     *
     * @param before the launches of the same builder, which know what its description comes to
     */
    public PlanInput decide(
            ContainerSpec asked, List<String> command, List<Arg.Slot> cgroupFiles, PreparedLaunches before)
            throws IOException {
        var known = before.settled(asked);
        if (known == null) {
            known = settle(asked);
            before.settles(known);
        }
        return decide(known, command, cgroupFiles);
    }

    /**
     * What a description comes to on this host, whatever is found there at a launch.
     *
     * @param spec with the shares of memory that were left open
     */
    record Settled(
            ContainerSpec asked,
            ContainerSpec spec,
            Set<Namespace> fresh,
            Optional<IdMap> map,
            boolean idmapped,
            List<FilterProgram> seccompFilters) {}

    private Settled settle(ContainerSpec asked) throws IOException {
        Contradictions.check(asked);
        var spec = MemoryShares.applied(asked, host);
        if (spec.root().idmappedLayers() && !host.isPrivileged()) {
            throw new UnsupportedKernelException(
                    Feature.IDMAPPED_MOUNTS, "to an ordinary user; run as root, or leave idmappedLayers out");
        }
        if (spec.privileges().supervised().isPresent() && !host.has().test(Feature.SECCOMP_USER_NOTIFICATION)) {
            throw new UnsupportedKernelException(
                    Feature.SECCOMP_USER_NOTIFICATION, "leave the supervisors out of the policy");
        }
        var fresh = Implied.namespaces(spec, host);
        if (fresh.contains(Namespace.TIME) && !host.has().test(Feature.TIME_NAMESPACE_AT_EXEC)) {
            throw new UnsupportedKernelException(Feature.TIME_NAMESPACE_AT_EXEC, "leave the clock offsets out");
        }
        Optional<IdMap> map = fresh.contains(Namespace.USER)
                ? Optional.of(
                        spec.namespaces().idMap().isPresent()
                                ? spec.namespaces().idMap().get()
                                : defaultMap())
                : Optional.empty();
        if (map.isPresent()) {
            checkThatIdsExist(map.get());
        }
        return new Settled(asked, spec, fresh, map, isIdmapped(spec, map), seccompFilters(spec));
    }

    private PlanInput decide(Settled settled, List<String> command, List<Arg.Slot> cgroupFiles) throws IOException {
        var spec = settled.spec();
        var map = settled.map();
        boolean idmapped = settled.idmapped();
        var principal = principal(spec);
        var named = principal.isPresent() ? principal : numbers(spec.process());
        var inside = map.isPresent() ? map : spec.namespaces().joinedIdMap();
        if (inside.isPresent() && named.isPresent()) {
            var unmapped = unmapped(inside.get(), named.get());
            if (unmapped.isPresent()) {
                throw new IllegalStateException(unmapped.get());
            }
        }
        var tree = hostTree(spec, map.isPresent() && !idmapped || host.isInUserNamespace());
        return new PlanInput(
                spec,
                command,
                host,
                settled.fresh(),
                map,
                idmapped,
                principal,
                tree,
                stack(spec),
                tree.isPresent() ? Optional.empty() : top(spec, map, idmapped),
                map.isPresent() && idmapped ? topDirectories(spec) : List.of(),
                SourceKind.of(spec.root().mounts()),
                cgroupFiles,
                settled.seccompFilters(),
                PlanInput.Part.WHOLE);
    }

    private List<FilterProgram> seccompFilters(ContainerSpec spec) {
        if (!spec.privileges().standardSeccomp()
                || !spec.privileges().seccompFilters().isEmpty()) {
            return spec.privileges().seccompFilters();
        }
        return List.of(standardFilters.of(
                spec.privileges().capabilities().map(Capabilities::bounding).orElse(host.effective())));
    }

    /** What belongs to nobody inside becomes root's. */
    private static Optional<TopDirectory> top(ContainerSpec spec, Optional<IdMap> map, boolean idmapped)
            throws IOException {
        if (!(spec.root().source() instanceof Root.Layers(var overlay))
                || spec.namespaces().joined(Namespace.USER).isPresent()) {
            return Optional.empty();
        }
        var onDisk = TopDirectory.of(overlay.lower().getFirst());
        if (map.isEmpty() || onDisk.isEmpty()) {
            return onDisk;
        }
        var top = onDisk.get();
        if (idmapped && !spec.root().layerIds().keptBy(overlay.lower().getFirst(), map.get())) {
            boolean exists = map.get().hasUid(top.uid()) && map.get().hasGid(top.gid());
            return Optional.of(exists ? top : top.ownedBy(0, 0));
        }
        var uid = map.get().uidInside(top.uid());
        var gid = map.get().gidInside(top.gid());
        return Optional.of(
                uid.isPresent() && gid.isPresent() ? top.ownedBy(uid.getAsLong(), gid.getAsLong()) : top.ownedBy(0, 0));
    }

    /** {@return what a new writable layer over the host's root has at the top, unless layers between have it} */
    private List<HostTree.Entry> topDirectories(ContainerSpec spec) throws IOException {
        if (!(spec.root().source() instanceof Root.Layers(var overlay))
                || overlay.upper().isPresent()
                || spec.root().layerIds() != LayerIds.MAPPED_WHERE_POSSIBLE) {
            return List.of();
        }
        int host = overlay.lower().indexOf(Path.of(InsidePath.ROOT));
        if (host < 0) {
            return List.of();
        }
        var above = new HashSet<String>();
        for (Path layer : overlay.lower().subList(0, host)) {
            try (var directory = Directory.open(HostPath.of(layer))) {
                directory.entries().forEach(entry -> above.add(entry.name()));
            }
        }
        return root.topDirectories().stream()
                .filter(directory -> !above.contains(directory.name()))
                .toList();
    }

    /** {@return how the layers are merged; where the kernel will not, a fallback is taken when it says so} */
    private static LayerStack stack(ContainerSpec spec) {
        if (!(spec.root().source() instanceof Root.Layers(var overlay))) {
            return new LayerStack.Flat();
        }
        var stack = LayerStack.of(overlay.lower());
        if (stack instanceof LayerStack.TooDeep(String why)) {
            if (overlay.fallbacks().isEmpty()) {
                throw new IllegalStateException("lower: " + why);
            }
            return new LayerStack.Flat();
        }
        return stack;
    }

    private boolean isIdmapped(ContainerSpec spec, Optional<IdMap> map) {
        return switch (spec.root().layerIds()) {
            case MAPPED -> true;
            case AS_ON_DISK -> false;
            case MAPPED_WHERE_POSSIBLE ->
                host.isPrivileged()
                        && map.filter(m -> !m.isSingle() && m.hasUid(0) && m.hasGid(0))
                                .isPresent()
                        && spec.root().source() instanceof Root.Layers(var overlay)
                        && overlay.fallbacks().isEmpty()
                        && host.has().test(Feature.IDMAPPED_MOUNTS);
        };
    }

    private Optional<HostTree> hostTree(ContainerSpec spec, boolean userNamespace) throws IOException {
        Path slash = Path.of("/");
        if (!userNamespace
                || !(spec.root().source() instanceof Root.Layers(var overlay))
                || !overlay.lower().contains(slash)) {
            return Optional.empty();
        }
        if (!overlay.fallbacks().isEmpty()) {
            throw new IllegalStateException("overlayFallback contradicts lower(\"/\") in a user namespace, whose"
                    + " directories are mounted one by one: leave it out, or run as root without newUser()");
        }
        if (overlay.lower().size() > 1 || overlay.upper().isPresent()) {
            throw new IllegalStateException(
                    "lower(\"/\") with other layers or an upper contradicts a user namespace, in which the kernel does"
                            + " not let / be a layer: copy the host's files you need into a layer, or run as root without"
                            + " newUser()");
        }
        return Optional.of(root.tree());
    }

    /**
     * The widest map that gives nothing away: ids nobody else has where the caller may take them, else the caller's own
     * single id as root.
     */
    private IdMap defaultMap() {
        var unclaimed = IdMap.range(0, UNCLAIMED_IDS, RANGE);
        return host.uid() == 0 && host.lacks(unclaimed).isEmpty()
                ? unclaimed
                : IdMap.single(0, host.uid(), 0, host.gid());
    }

    private void checkThatIdsExist(IdMap map) throws IOException {
        var lacking = host.lacks(map);
        if (lacking.isPresent()) {
            throw new IOException("newUser: " + lacking.get()
                    + " does not exist in the user namespace that this JVM is in, whose uids are "
                    + host.ids().uids() + " and gids " + host.ids().gids()
                    + " (the first number of each); give ids that it has, such as by newUser(IdMap.single(0, "
                    + host.uid()
                    + ", 0, " + host.gid() + ")), or start the JVM outside");
        }
    }

    /** {@return whom the command runs as; empty if only its finished root can tell} */
    private static Optional<Principal> principal(ContainerSpec spec) throws IOException {
        var process = spec.process();
        if (process.user().isEmpty() && process.groups().isEmpty()) {
            return Optional.of(Principal.root());
        }
        boolean homeless = spec.bare() || process.environment().containsKey(Environment.HOME);
        var numbers = numbers(process);
        if (homeless && numbers.isPresent()) {
            return numbers;
        }
        boolean seesThisRoot = !spec.root().changesMounts()
                && spec.namespaces().joined(Namespace.MOUNT).isEmpty();
        if (!seesThisRoot) {
            return Optional.empty();
        }
        try (var root = Files.open("/", OpenFlags.O_PATH, 0)) {
            return Optional.of(new Accounts(root).resolve(process.user(), process.groups()));
        }
    }

    /** {@return the user, if everything about it but its home is given by number} */
    private static Optional<Principal> numbers(ProcessSpec process) {
        var user = process.user().orElse(UserSpec.of(0, 0));
        var uid = UserSpec.number(user.user());
        var gid = UserSpec.number(user.group());
        var groups = process.groups().stream().map(UserSpec::number).toList();
        return uid.isPresent() && gid.isPresent() && groups.stream().allMatch(OptionalInt::isPresent)
                ? Optional.of(new Principal(
                        uid.getAsInt(),
                        gid.getAsInt(),
                        groups.stream().map(OptionalInt::getAsInt).distinct().toList(),
                        "/"))
                : Optional.empty();
    }

    /** {@return what is wrong with a user that does not exist in a user namespace} */
    static Optional<String> unmapped(IdMap map, Principal principal) {
        return map.hasUid(principal.uid()) && map.hasGid(principal.gid())
                ? Optional.empty()
                : Optional.of("user " + principal.uid() + ":" + principal.gid()
                        + " does not exist in the user namespace, whose uids are " + map.uids() + " and gids "
                        + map.gids() + "; map it with newUser(IdMap), or run as a mapped user");
    }
}
