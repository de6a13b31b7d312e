// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.CgroupPlan;
import dev.caisson.cgroups.entry.Entry;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.FailureText;
import dev.caisson.launch.HostFacts;
import dev.caisson.launch.Hosts;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.LaunchTask;
import dev.caisson.launch.LayerIds;
import dev.caisson.launch.LayerMounts;
import dev.caisson.launch.MissingProgram;
import dev.caisson.launch.OwnDescriptors;
import dev.caisson.launch.ParentSide;
import dev.caisson.launch.Places;
import dev.caisson.launch.Planner;
import dev.caisson.launch.PreparedLaunches;
import dev.caisson.launch.Refusal;
import dev.caisson.launch.Root;
import dev.caisson.launch.UserNamespaces;
import dev.caisson.linux.Feature;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.child.Launch;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.child.Trials;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Kernel;
import dev.caisson.linux.sys.OnPlatformThread;
import dev.caisson.linux.sys.Poller;
import dev.caisson.linux.sys.Processes;
import dev.caisson.linux.sys.Sockets;
import dev.caisson.overlay.Branch;
import dev.caisson.overlay.LayerLease;
import dev.caisson.overlay.LayerWatch;
import dev.caisson.overlay.Overlay;
import dev.caisson.overlay.OverlayMount;
import dev.caisson.overlay.tree.SafeTree;
import dev.caisson.process.LiveProcess;
import dev.caisson.process.Plumbing;
import dev.caisson.seccomp.notify.Listener;
import dev.caisson.seccomp.notify.Listeners;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Join;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What all containers of this JVM share: the launcher, the poller, what is known of the host. Executes plans. Every
 * descriptor, cgroup and process it makes for a launch that then fails is gone when the exception arrives.
 */
final class Engine {
    private static final String STATUS = "status";
    private static final String KEPT = "kept";
    private static final String MERGED = "merged";

    private final Launcher launcher = new Launcher();
    private final Kernel kernel = Kernel.ofThisMachine().asking(new Trials(launcher)::attempt);
    private final Poller poller;
    private final UserNamespaces namespaces = new UserNamespaces(launcher);
    private final Listeners listeners = new Listeners(launcher);
    private final HostFacts host;
    private final Planner planner;

    private Engine() throws IOException {
        launcher.start();
        poller = Poller.shared();
        host = Hosts.ofThisProcess(kernel);
        planner = new Planner(host);
    }

    /**
     * {@return the one of this JVM, made when the first container is}
     *
     * @throws ContainerException if it cannot be made here, each time
     */
    static Engine shared() throws ContainerException {
        var refused = Holder.MADE.refused();
        if (refused != null) {
            String why = "nothing can be started here: " + refused.getMessage();
            throw new ContainerException(
                    FailureText.confinement().map(c -> why + "; " + c).orElse(why), "", refused);
        }
        return Objects.requireNonNull(Holder.MADE.engine());
    }

    private record Made(@Nullable Engine engine, @Nullable IOException refused) {}

    private static final class Holder {
        private static final Made MADE = make();

        private static Made make() {
            try {
                return new Made(new Engine(), null);
            } catch (IOException refused) {
                return new Made(null, refused);
            }
        }
    }

    HostFacts host() {
        return host;
    }

    Kernel kernel() {
        return kernel;
    }

    Plan explain(ContainerSpec spec, List<String> command) throws ContainerException {
        try {
            return plan(spec, command);
        } catch (IOException failed) {
            throw wrapped(failed);
        }
    }

    private Plan plan(ContainerSpec spec, List<String> command) throws IOException {
        LimitCgroup<CgroupPlan> limits = limits(spec) ? LimitCgroup.plan(spec.limits()) : LimitCgroup.none();
        var cgroup = limits.made();
        var cgroupFiles = cgroup.map(CgroupPlan::entered).orElse(List.of()).stream()
                .map(Engine::cgroupParameter)
                .toList();
        var planned = planner.plan(spec, command, cgroupFiles);
        return Explanation.of(planned, cgroup, missing(spec), limits.unenforcedAnd(planned.unenforced()));
    }

    private static boolean limits(ContainerSpec spec) {
        return spec.limits().hasCgroup() || spec.limits().withPreset().isPresent();
    }

    private List<Feature> missing(ContainerSpec spec) {
        var missing = new ArrayList<Feature>();
        for (var feature : List.of(Feature.CLONE3, Feature.CLOSE_RANGE, Feature.OPENAT2)) {
            if (!kernel.has(feature)) {
                missing.add(feature);
            }
        }
        if (spec.privileges().supervised().isPresent() && !kernel.has(Feature.SECCOMP_USER_NOTIFICATION)) {
            missing.add(Feature.SECCOMP_USER_NOTIFICATION);
        }
        if (spec.hasOwnRoot()) {
            for (var feature : List.of(Feature.NEW_MOUNT_API, Feature.MOUNT_SETATTR)) {
                if (!kernel.has(feature)) {
                    missing.add(feature);
                }
            }
            if (spec.root().source() instanceof Root.Layers && !kernel.has(Feature.OVERLAY)) {
                missing.add(Feature.OVERLAY);
            }
        }
        return missing;
    }

    private static String cgroupParameter(String controller) {
        return "cgroup " + controller;
    }

    /**
     * Launches a command.
     *
     * @return it, alive and watched
     */
    Started start(
            ContainerSpec spec,
            List<String> command,
            PreparedLaunches launches,
            Stdio stdin,
            Stdio stdout,
            Stdio stderr)
            throws ContainerException {
        try {
            return launch(spec, command, launches, stdin, stdout, stderr);
        } catch (IOException failed) {
            throw wrapped(failed);
        }
    }

    /** Everything that keeps a container from starting is a ContainerException; what it says is kept. */
    private static ContainerException wrapped(IOException failed) {
        return failed instanceof ContainerException already
                ? already
                : new ContainerException(String.valueOf(failed.getMessage()), "", failed);
    }

    private Started launch(
            ContainerSpec spec,
            List<String> command,
            PreparedLaunches launches,
            Stdio stdin,
            Stdio stdout,
            Stdio stderr)
            throws IOException {
        long startedAt = System.nanoTime();
        try (var resources = new LaunchResources()) {
            @Nullable Cgroup cgroup = null;
            var descriptors = new HashMap<String, Integer>();
            var cgroupFiles = new ArrayList<String>();
            var intoCgroup = OptionalInt.empty();
            LimitCgroup<Cgroup> limits = limits(spec) ? LimitCgroup.make(spec.limits()) : LimitCgroup.none();
            if (limits.made().isPresent()) {
                cgroup = limits.made().get();
                resources.onFailure(cgroup);
                for (var entry : Entry.legacy(cgroup).entrySet()) {
                    descriptors.put(
                            cgroupParameter(entry.getKey()),
                            resources.use(entry.getValue()).number());
                    cgroupFiles.add(cgroupParameter(entry.getKey()));
                }
                var unified = Entry.unified(cgroup);
                if (unified.isPresent()) {
                    intoCgroup = OptionalInt.of(resources.use(unified.get()).number());
                }
            }
            var prepared = launches.of(planner.decide(spec, command, cgroupFiles));
            var plan = prepared.plan();
            var owner = (host.isPrivileged() ? plan.input().idMap() : Optional.<IdMap>empty()).flatMap(Engine::root);
            if (spec.limits().delegated() && cgroup != null) {
                Delegation.of(cgroup, owner);
            }
            Branch.@Nullable Use use = spec.root().branch().map(Branch::use).orElse(null);
            if (use != null) {
                resources.onFailure(use);
            }
            var lease = LayerLease.of(spec.root().source() instanceof Root.Layers(var used) ? used.lower() : List.of());
            resources.onFailure(lease);
            var volumes = Volumes.make(spec.root().mounts());
            resources.atEnd(volumes);
            volumes.give(owner);
            ParentSide.prepareUpper(plan).ifPresent(resources::onFailure);
            for (var join : spec.namespaces().joins()) {
                descriptors.put(
                        "join " + join.namespace().file(),
                        resources.use(open(join)).number());
            }
            var more = new HashMap<String, Stdio>();
            spec.process().descriptors().forEach((number, source) -> more.put("descriptor " + number, source));
            var plumbing = Plumbing.open(poller, stdin, stdout, stderr, more);
            resources.onFailure(plumbing);
            descriptors.putAll(plumbing.descriptors());
            var input = plan.input();
            ParentSide.WhenKnown known = principal -> {
                var user = input.onHost(principal);
                volumes.give(user);
                if (user.isPresent()) {
                    plumbing.give(user.get().uid(), user.get().gid());
                }
            };
            if (input.principal().isPresent()) {
                known.is(input.principal().get());
            }
            descriptors.putAll(OwnDescriptors.of(spec));
            @Nullable Fd status = null;
            if (spec.process().init()) {
                var pipe = Files.pipe();
                resources.onFailure(pipe.reader());
                descriptors.put(STATUS, resources.use(pipe.writer()).number());
                status = pipe.reader();
            }
            @Nullable Fd keptHere = null;
            if (spec.root().kept()) {
                var sockets = Sockets.pair();
                keptHere = sockets.near();
                resources.onFailure(keptHere);
                descriptors.put(KEPT, resources.use(sockets.far()).number());
            }
            var watch = spec.root().kept() && spec.root().source() instanceof Root.Layers(var watched)
                    ? Optional.of(LayerWatch.begin(watched.lower()))
                    : Optional.<LayerWatch>empty();
            var listener = new AtomicReference<@Nullable Listener>();
            resources.onFailure(() -> close(listener));
            Launch launch;
            try {
                launch = launch(prepared, intoCgroup, descriptors, listener, known, resources);
            } catch (IOException refused) {
                if (spec.root().idmappedLayers() || !plan.input().idmappedLayers()) {
                    throw refused;
                }
                prepared = launches.of(planner.decide(asOnDisk(spec), command, cgroupFiles));
                launch = launch(prepared, intoCgroup, descriptors, listener, known, resources);
            }
            Outcome outcome = attempt(launch, spec);
            if (outcome instanceof Outcome.ChildFailure failure
                    && LaunchTask.MERGE_LAYERS.isOf(failure.step())
                    && prepared.plan().input().idmappedLayers()
                    && !spec.root().idmappedLayers()) {
                // Before Linux 5.19 a layer could be shown with other ids, but not merged.
                prepared = launches.of(planner.decide(asOnDisk(spec), command, cgroupFiles));
                launch = launch(prepared, intoCgroup, descriptors, listener, known, resources);
                outcome = attempt(launch, spec);
            }
            plan = prepared.plan();
            var meant = plan.input().idmappedLayers() ? spec : asOnDisk(spec);
            int most = plan.input().spec().root().mounts().size();
            @Nullable OverlayMount fallback = null;
            if (outcome instanceof Outcome.ChildFailure failure && RootFallback.isFor(plan, failure)) {
                fallback = RootFallback.take(plan, refusal(launch, plan, failure, resources), owner);
                resources.onFailure(fallback);
                descriptors.put(MERGED, fallback.descriptor());
                meant = RootFallback.applied(spec, fallback, host);
                prepared = launches.of(planner.decide(meant, command, cgroupFiles));
                plan = prepared.plan();
                launch = launch(prepared, intoCgroup, descriptors, listener, known, resources);
                outcome = attempt(launch, spec);
            }
            for (int i = 0; i < most && outcome instanceof Outcome.ChildFailure failure && Places.isFor(failure); i++) {
                var asking = launches.of(planner.decide(Places.asking(meant), command, cgroupFiles));
                var place = place(launch(asking, intoCgroup, descriptors, new AtomicReference<>(), _ -> {}, resources));
                if (place.isEmpty()) {
                    break;
                }
                meant = place.get().applied(meant);
                prepared = launches.of(planner.decide(meant, command, cgroupFiles));
                plan = prepared.plan();
                launch = launch(prepared, intoCgroup, descriptors, listener, known, resources);
                outcome = attempt(launch, spec);
            }
            var child = child(outcome, launch, plan, resources);
            resources.onFailure(() -> kill(child));
            plumbing.launched();
            @Nullable
            ContainerCgroup own = cgroup == null
                    ? null
                    : new ContainerCgroup(
                            cgroup, spec.process().init() ? OptionalLong.empty() : OptionalLong.of(child.pid()));
            var process = new LiveProcess(child, plumbing, status, own, startedAt);
            process.atEnd(() -> {
                var open = listener.get();
                if (open != null) {
                    process.supervisorKilled(open.killed());
                    open.close();
                }
            });
            var files =
                    keptHere == null ? null : new KeptFiles(new Kept(keptHere), owner, layers(plan, watch, fallback));
            var started =
                    new Started(process, own, files, use, fallback, lease, limits.unenforcedAnd(plan.unenforced()));
            resources.succeeded();
            return started;
        }
    }

    /**
     * Watches a launched command.
     *
     * @param waits whether the caller does nothing but wait for its end
     */
    void watch(LiveProcess process, ContainerSpec spec, boolean waits) throws ContainerException {
        try {
            if (waits) {
                process.awaitBriefly(spec.process().timeout().orElse(null));
            }
            process.watch(poller, spec.process().timeout().orElse(null));
        } catch (IOException refused) {
            throw wrapped(abandoned(process, refused));
        } catch (RuntimeException | Error bug) {
            var _ = abandoned(process, bug);
            throw bug;
        }
    }

    private static <T extends Throwable> T abandoned(LiveProcess process, T because) {
        try {
            process.abandon();
        } catch (IOException | RuntimeException | Error alsoFailed) {
            because.addSuppressed(alsoFailed);
        }
        return because;
    }

    /** A launched command and its cgroup, if it has one of its own. */
    record Started(
            LiveProcess process,
            @Nullable ContainerCgroup cgroup,
            @Nullable KeptFiles files,
            Branch.@Nullable Use use,
            @Nullable OverlayMount fallback,
            LayerLease lease,
            List<String> unenforced) {}

    /** {@return the layers of a root that has one writable layer} */
    private static Optional<KeptFiles.Layers> layers(
            LaunchPlan plan, Optional<LayerWatch> watch, @Nullable OverlayMount fallback) {
        var input = plan.input();
        Overlay overlay;
        switch (input.spec().root().source()) {
            case Root.Layers(var layers) -> overlay = layers;
            case Root.Merged(var layers, var _) -> overlay = layers;
            default -> {
                return Optional.empty();
            }
        }
        return input.hostTree().isPresent()
                ? Optional.empty()
                : Optional.of(new KeptFiles.Layers(
                        overlay,
                        watch.orElseThrow(),
                        fallback,
                        input.inUserNamespace(),
                        input.idmappedLayers() ? input.idMap() : Optional.empty()));
    }

    /** {@return the host's ids of the root of a user namespace} */
    private static Optional<SafeTree.Owner> root(IdMap map) {
        var uid = map.uids().stream().filter(r -> r.inside() == 0).findFirst();
        var gid = map.gids().stream().filter(r -> r.inside() == 0).findFirst();
        return uid.isPresent() && gid.isPresent()
                ? Optional.of(new SafeTree.Owner(uid.get().outside(), gid.get().outside()))
                : Optional.empty();
    }

    /** A time namespace is joined as children enter it: an init of ours is not in it itself. */
    private static Fd open(Join.OfHeld join) throws IOException {
        var pidfd = Fd.owning(join.process().duplicate());
        if (join.namespace() != Namespace.TIME) {
            return pidfd;
        }
        try (pidfd) {
            // It is held, so the number is its own.
            return Files.open("/proc/" + Processes.pid(pidfd) + "/ns/time_for_children", Files.O_RDONLY, 0);
        }
    }

    private static Fd open(Join join) throws IOException {
        Namespace namespace = join.namespace();
        try {
            return switch (join) {
                case Join.OfPath p -> Files.open(p.path().toString(), Files.O_RDONLY, 0);
                case Join.OfProcess p -> Files.open("/proc/" + p.pid() + "/ns/" + namespace.file(), Files.O_RDONLY, 0);
                case Join.OfPidfd p -> Files.duplicate(p.pidfd());
                case Join.OfHeld p -> open(p);
            };
        } catch (LinuxException refused) {
            throw new ContainerException(
                    "join the " + namespace.file() + " namespace: " + refused.getMessage()
                            + "; does it exist, and may this user see it?",
                    "join the " + namespace.file() + " namespace",
                    refused);
        }
    }

    /** Whatever is thrown after a launch, and be it an Error, ends what was launched. */
    private static void kill(Outcome.Child child) throws LinuxException {
        child.ward().end();
        try (var pidfd = child.pidfd()) {
            var _ = Processes.signal(pidfd, Signal.SIGKILL);
            var _ = Processes.reap(pidfd);
        }
    }

    private static void close(AtomicReference<@Nullable Listener> listener) {
        var open = listener.get();
        if (open != null) {
            open.close();
        }
    }

    private static ContainerSpec asOnDisk(ContainerSpec spec) {
        return spec.root(r -> r.withLayerIds(LayerIds.AS_ON_DISK));
    }

    /** {@return where the target of a mount really is, by a launch that asks and then fails} */
    private Optional<Places.LeadsElsewhere> place(Launch asking) throws IOException {
        try {
            var _ = launcher.launch(asking);
            return Optional.empty(); // Somebody made what was missing, or it is not a link's fault.
        } catch (Places.LeadsElsewhere elsewhere) {
            return Optional.of(elsewhere);
        }
    }

    private Launch launch(
            PreparedLaunches.Prepared prepared,
            OptionalInt intoCgroup,
            Map<String, Integer> descriptors,
            AtomicReference<@Nullable Listener> listener,
            ParentSide.WhenKnown known,
            LaunchResources resources)
            throws IOException {
        var plan = prepared.plan();
        var all = new HashMap<>(descriptors);
        all.putAll(layers(plan, resources));
        return new Launch(
                prepared.program(),
                plan.mode(),
                plan.flags(),
                intoCgroup,
                all,
                ParentSide.gates(
                        plan,
                        fd -> listener.set(listeners.listen(
                                fd,
                                plan.input().spec().privileges().supervised().orElseThrow())),
                        known));
    }

    private Outcome launch(Launch launch, ContainerSpec spec) throws IOException {
        if (spec.privileges().supervised().isEmpty() || !Thread.currentThread().isVirtual()) {
            return launcher.launch(launch);
        }
        // A supervisor may be asked about the very execve; the carrier must be free for it.
        return OnPlatformThread.call("caisson-launch", () -> launcher.launch(launch));
    }

    /** {@return mounts of the layers for one launch, which takes them along} */
    private Map<String, Integer> layers(LaunchPlan plan, LaunchResources resources) throws IOException {
        var input = plan.input();
        if (!input.idmappedLayers() || !(input.spec().root().source() instanceof Root.Layers(var overlay))) {
            return Map.of();
        }
        var layers = LayerMounts.make(
                namespaces,
                overlay.lower(),
                input.idMap().orElseThrow(),
                input.spec().root().layerIds());
        resources.atEnd(layers);
        return layers.parameters();
    }

    /** {@return the same launch, to learn more of why it failed} */
    private Launch again(Launch launch, LaunchPlan plan, LaunchResources resources) {
        try {
            var descriptors = new HashMap<>(launch.descriptors());
            descriptors.putAll(layers(plan, resources));
            return new Launch(
                    launch.program(), launch.mode(), launch.flags(), launch.cgroup(), descriptors, launch.gates());
        } catch (IOException sayNoMore) {
            return launch;
        }
    }

    private Outcome attempt(Launch launch, ContainerSpec spec) throws IOException {
        try {
            return launch(launch, spec);
        } catch (LinuxException refused) {
            throw new ContainerException(
                    FailureText.clone(refused.call(), launch.cgroup().isPresent(), refused.errno(), host),
                    "create the namespaces",
                    refused);
        }
    }

    private Outcome.Child child(Outcome outcome, Launch launch, LaunchPlan plan, LaunchResources resources)
            throws ContainerException {
        return switch (outcome) {
            case Outcome.Child child -> child;
            case Outcome.ChildFailure failure -> throw refusal(launch, plan, failure, resources);
            case Outcome.Died died -> throw new ContainerException(FailureText.died(died.status()), "", null);
        };
    }

    private ContainerException refusal(
            Launch launch, LaunchPlan plan, Outcome.ChildFailure failure, LaunchResources resources) {
        Optional<String> cause = MissingProgram.isFor(failure)
                ? MissingProgram.look(launcher, planner, again(launch, plan, resources), plan)
                : Optional.empty();
        return new ContainerException(
                Refusal.text(launcher, again(launch, plan, resources), plan, failure, cause),
                failure.step().purpose(),
                new LinuxException(failure.errno(), FailureText.call(failure.step())));
    }
}
