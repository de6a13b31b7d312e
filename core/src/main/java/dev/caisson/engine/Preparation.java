// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.UsageMeter;
import dev.caisson.cgroups.entry.Entry;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.HostFacts;
import dev.caisson.launch.InsideSpec;
import dev.caisson.launch.OwnDescriptors;
import dev.caisson.launch.ParentSide;
import dev.caisson.launch.PlanInput;
import dev.caisson.launch.Principal;
import dev.caisson.launch.Root;
import dev.caisson.launch.Slots;
import dev.caisson.launch.TerminalOrigin;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.Gate;
import dev.caisson.linux.child.LaunchService;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.child.Waiting;
import dev.caisson.linux.child.Ward;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Patience;
import dev.caisson.linux.sys.Poller;
import dev.caisson.linux.sys.Processes;
import dev.caisson.linux.sys.Sockets;
import dev.caisson.overlay.Overlay;
import dev.caisson.overlay.changes.LayerWatch;
import dev.caisson.overlay.store.Branch;
import dev.caisson.overlay.store.LayerLease;
import dev.caisson.overlay.tree.SafeTree;
import dev.caisson.process.LiveProcess;
import dev.caisson.process.Plumbing;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Join;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** What the JVM has made for one launch so far. Closed, it lets go of what only the launch needed, and, if that failed, of all. */
final class Preparation implements AutoCloseable {
    private final Request request;
    private ContainerSpec spec;
    private long startedAt = System.nanoTime();
    private boolean prepares;
    private final LaunchResources resources = new LaunchResources();
    private final Map<Arg.Slot, Integer> descriptors = new HashMap<>();
    private final List<Arg.Slot> cgroupFiles = new ArrayList<>();
    private LimitCgroup<Cgroup> limits = LimitCgroup.none();
    private @Nullable UsageMeter account;
    private Ward will = Ward.NONE;
    private Optional<OuterMemory> outerMemory = Optional.empty();
    private OptionalInt intoCgroup = OptionalInt.empty();
    private @Nullable PlanInput input;
    private Optional<SafeTree.Owner> owner = Optional.empty();
    private @Nullable Volumes volumes;
    private @Nullable Plumbing plumbing;
    private Branch.@Nullable Use use;
    private LayerLease lease = LayerLease.none();
    private @Nullable LayerWatch watch;
    private @Nullable Fd status;
    private @Nullable Fd kept;
    private @Nullable Principal user;
    private @Nullable KeptFiles files;

    private final @Nullable Detachment detachment;

    Preparation(Request request) {
        this(request, null);
    }

    /** @param detachment if it is to outlive this JVM */
    Preparation(Request request, @Nullable Detachment detachment) {
        this.request = request;
        this.spec = request.spec();
        this.detachment = detachment;
    }

    /** {@return who clones} */
    LaunchService launchedBy(Launcher launcher) {
        return detachment == null ? launcher : detachment.shim();
    }

    /** {@return gates, of which a supervisor will know what was answered} */
    Map<String, Gate> remembering(Map<String, Gate> gates) {
        return detachment == null ? gates : detachment.remembering(gates);
    }

    /** {@return when the launch must be over by the clock of System.nanoTime, for the timeout of the command} */
    OptionalLong deadline() {
        var timeout = spec.process().timeout();
        return prepares || timeout.isEmpty()
                ? OptionalLong.empty()
                : OptionalLong.of(startedAt + Patience.nanos(timeout.get()));
    }

    /**
     * Makes the cgroup; before the plan, which depends on how it is entered.
     *
     * @param launcher has it removed if this JVM ends first
     */
    void makeCgroup(Launcher launcher) throws IOException {
        limits = LimitCgroup.make(request);
        if (limits.made().isEmpty()) {
            return;
        }
        var cgroup = limits.made().get();
        resources.onFailure(cgroup);
        outerMemory = OuterMemory.of(request, cgroup);
        if (spec.limits().cpuTimeMax().isPresent()) {
            account = CpuAccount.open(cgroup);
            resources.onFailure(account);
        }
        will = launcher.removing(cgroup.directories());
        resources.onFailure(will::end);
        for (var entry : Entry.legacy(cgroup).entrySet()) {
            var slot = Slots.cgroup(entry.getKey());
            descriptors.put(slot, resources.use(entry.getValue()).number());
            cgroupFiles.add(slot);
        }
        var unified = Entry.unified(cgroup);
        if (unified.isPresent()) {
            intoCgroup = OptionalInt.of(resources.use(unified.get()).number());
        }
    }

    /** Knows what was decided. */
    void decided(PlanInput decided, HostFacts host) {
        input = decided;
        descriptors.putAll(OwnDescriptors.of(spec));
        owner = owner(decided, host);
    }

    /** {@return root of the container as the host knows it, if this process may act as that} */
    static Optional<SafeTree.Owner> owner(PlanInput decided, HostFacts host) {
        var map = decided.idMap();
        return host.isPrivileged() && map.isPresent() ? root(map.get()) : Optional.empty();
    }

    /** {@return the host's ids of the root of a user namespace} */
    private static Optional<SafeTree.Owner> root(IdMap map) {
        var uid = map.uids().stream().filter(r -> r.inside() == 0).findFirst();
        var gid = map.gids().stream().filter(r -> r.inside() == 0).findFirst();
        return uid.isPresent() && gid.isPresent()
                ? Optional.of(new SafeTree.Owner(uid.get().outside(), gid.get().outside()))
                : Optional.empty();
    }

    void delegate() throws IOException {
        if (limits.made().isPresent()) {
            Delegation.of(limits.made().get(), owner);
        }
    }

    void use(Branch branch) {
        use = branch.use();
        resources.onFailure(use);
    }

    void lease(List<Path> layers) throws IOException {
        lease = LayerLease.of(layers);
        resources.onFailure(lease);
    }

    void watch(List<Path> layers) throws IOException {
        watch = LayerWatch.begin(layers);
    }

    void makeVolumes() throws IOException {
        volumes = Volumes.make(spec.root().mounts());
        resources.atEnd(volumes);
        volumes.give(owner);
    }

    void makeUpper() throws IOException {
        ParentSide.prepareUpper(decided()).ifPresent(resources::onFailure);
    }

    void open(Join join) throws IOException {
        descriptors.put(
                Slots.join(join.namespace()), resources.use(Joins.open(join)).number());
    }

    void connectStreams() throws IOException {
        var process = spec.process();
        plumbing = Plumbing.open(
                Poller.shared(),
                process.stdin().orElseThrow(),
                process.stdout().orElseThrow(),
                process.stderr().orElseThrow(),
                process.descriptors(),
                decided().terminalOrigin().orElse(null) == TerminalOrigin.HOST,
                detachment != null);
        resources.onFailure(plumbing);
        for (var descriptor : plumbing.descriptors().entrySet()) {
            descriptors.put(Slots.descriptor(descriptor.getKey()), descriptor.getValue());
        }
        var known = user();
        if (known.isPresent()) {
            known(known.get());
        }
    }

    /** {@return whom the command runs as, if that is known by now} */
    Optional<Principal> user() {
        return decided().principal().or(() -> Optional.ofNullable(user));
    }

    /** Gives what was made for the command to its user, as soon as that is known. */
    void known(Principal principal) throws IOException {
        user = principal;
        var onHost = decided().onHost(principal);
        if (volumes != null) {
            volumes.give(onHost);
        }
        if (onHost.isPresent() && plumbing != null) {
            plumbing.give(onHost.get().uid(), onHost.get().gid());
        }
    }

    /** Takes the master of the command's terminal; another one if the launch is tried again. */
    void terminal(Fd master) throws IOException {
        plumbing().terminal(master);
    }

    void awaitStatus() throws IOException {
        var pipe = Files.pipe();
        resources.onFailure(pipe.reader());
        descriptors.put(Slots.STATUS, resources.use(pipe.writer()).number());
        status = pipe.reader();
    }

    void awaitRoot() throws IOException {
        var sockets = Sockets.pair();
        kept = sockets.near();
        resources.onFailure(kept);
        descriptors.put(Slots.KEPT, resources.use(sockets.far()).number());
    }

    /** The command comes later, and so does the beginning of its time. */
    void prepares() {
        prepares = true;
    }

    /** The child waits to be told what to run; what fails from here on ends it. */
    void prepared(Outcome.Child child, Attempts attempts) {
        resources.onFailure(() -> kill(child));
        resources.letGo();
        descriptors.clear();
        if (kept != null) {
            files = files(kept, attempts);
            resources.onFailure(files);
        }
    }

    /** The time of the command begins. */
    void starts(ContainerSpec with) {
        spec = with;
        prepares = false;
        startedAt = System.nanoTime();
    }

    /** {@return what is launched, for whoever uses it} What fails from here on ends the child. */
    Started launched(Outcome.Child child, Attempts attempts) throws IOException {
        resources.onFailure(() -> kill(child));
        plumbing().launched();
        var own = limits.made()
                .map(cgroup -> new ContainerCgroup(
                        cgroup,
                        spec.hasInit() ? OptionalLong.empty() : OptionalLong.of(child.pid()),
                        outerMemory,
                        will))
                .orElse(null);
        if (own != null && account != null) {
            own.counts(account);
        }
        var process = new LiveProcess(child, plumbing(), status, own, startedAt);
        spec.limits().cpuTimeMax().ifPresent(process::limitCpuTime);
        if (decided().hasReaper()) {
            process.hasReaper();
        }
        process.atEnd(() -> attempts.ended(process));
        if (kept != null && files == null) {
            files = files(kept, attempts);
        }
        var inside = InsideSpec.of(attempts.plan().input(), spec);
        var entrance = request.entrance().orElseGet(() -> new Entrance(process::duplicate, inside, limits.made()));
        var started = new Started(process, own, entrance, files, use, attempts.fallback(), lease, unenforced(attempts));
        resources.succeeded();
        return started;
    }

    /** Leaves what is launched to its supervisor. */
    void detached(Outcome.Child child, Attempts attempts, Detachment to) throws IOException {
        try (var _ = child.pidfd()) {
            plumbing().launched();
            to.commit(
                    child.pid(),
                    new Detachment.Made(
                            attempts.plan(),
                            plumbing().supervised(),
                            status,
                            kept,
                            lease.descriptors(),
                            limits.made()));
        }
        will.end();
        plumbing().close();
        lease.handedOver();
        if (status != null) {
            status.close();
        }
        if (kept != null) {
            kept.close();
        }
        resources.succeeded();
    }

    private KeptFiles files(Fd socket, Attempts attempts) {
        return new KeptFiles(new Kept(socket), owner, layers(attempts.plan().input(), attempts));
    }

    /** {@return the files of the container, if its root is kept} */
    @Nullable
    KeptFiles files() {
        return files;
    }

    /** {@return its own cgroup, if it has one} */
    Optional<Cgroup> cgroup() {
        return limits.made();
    }

    /** {@return what of a preset is not enforced} */
    List<String> unenforced(Attempts attempts) {
        return limits.unenforcedAnd(attempts.plan().unenforced());
    }

    private static void kill(Outcome.Child child) throws LinuxException {
        child.waiting().ifPresent(Waiting::close);
        if (!child.pidfd().isOpen()) {
            return; // It was ended, and is reaped.
        }
        child.ward().end();
        try (var pidfd = child.pidfd()) {
            var _ = Processes.signal(pidfd, Signal.SIGKILL);
            var _ = Processes.reap(pidfd);
        }
    }

    /** {@return the layers of a root that has one writable layer} */
    private Optional<KeptFiles.Layers> layers(PlanInput launched, Attempts attempts) {
        Overlay overlay;
        switch (launched.spec().root().source()) {
            case Root.Layers(var layers) -> overlay = layers;
            case Root.Merged(var layers, var _) -> overlay = layers;
            default -> {
                return Optional.empty();
            }
        }
        return launched.hostTree().isPresent()
                ? Optional.empty()
                : Optional.of(new KeptFiles.Layers(
                        overlay,
                        Objects.requireNonNull(watch),
                        attempts.fallback(),
                        launched.inUserNamespace(),
                        launched.idmappedLayers() ? launched.idMap() : Optional.empty()));
    }

    private PlanInput decided() {
        return Objects.requireNonNull(input, "nothing is decided yet");
    }

    private Plumbing plumbing() {
        return Objects.requireNonNull(plumbing, "the streams are not open yet");
    }

    LaunchResources resources() {
        return resources;
    }

    /** {@return the number of each descriptor that the child is given, by slot} */
    Map<Arg.Slot, Integer> descriptors() {
        return descriptors;
    }

    /** {@return the slots of version 1 cgroup.procs files} */
    List<Arg.Slot> cgroupFiles() {
        return cgroupFiles;
    }

    /** {@return the version 2 cgroup that the child is born into} */
    OptionalInt intoCgroup() {
        return intoCgroup;
    }

    /** {@return root of the container as the host knows it, if that is somebody else than this process} */
    Optional<SafeTree.Owner> owner() {
        return owner;
    }

    @Override
    public void close() throws IOException {
        resources.close();
    }
}
