// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.FailureText;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.LaunchTask;
import dev.caisson.launch.LayerIds;
import dev.caisson.launch.LayerMounts;
import dev.caisson.launch.MissingProgram;
import dev.caisson.launch.ParentSide;
import dev.caisson.launch.Places;
import dev.caisson.launch.PlanInput;
import dev.caisson.launch.PreparedLaunches.Prepared;
import dev.caisson.launch.Refusal;
import dev.caisson.launch.Root;
import dev.caisson.launch.Slots;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.Handover;
import dev.caisson.linux.child.Launch;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.child.Waiting;
import dev.caisson.linux.sys.OnPlatformThread;
import dev.caisson.overlay.OverlayMount;
import dev.caisson.process.LiveProcess;
import dev.caisson.seccomp.notify.Listener;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The launch itself, and what is tried where the kernel refuses it in a way that leaves a choice: layers with the ids on disk,
 * layers merged otherwise, mount targets that lie elsewhere than they seem to.
 */
final class Attempts {
    /** How often the host's root may change under a launch. */
    private static final int MOST_LOOKS = 5;

    private final Engine.Services services;
    private final Request request;
    private final Preparation here;
    private final AtomicReference<@Nullable Listener> listener = new AtomicReference<>();
    private ContainerSpec meant;
    private Prepared prepared;
    private @Nullable OverlayMount fallback;

    Attempts(Engine.Services services, Request request, Preparation here, Prepared first) {
        this.services = services;
        this.request = request;
        this.here = here;
        this.meant = request.spec();
        this.prepared = first;
        here.resources().onFailure(this::closeListener);
    }

    /** {@return the plan that was launched in the end} */
    LaunchPlan plan() {
        return prepared.plan();
    }

    /** {@return how the layers were merged, if the kernel would not} */
    @Nullable
    OverlayMount fallback() {
        return fallback;
    }

    /** {@return the child, at its execve} */
    Outcome.Child launch() throws IOException {
        Launch launch;
        try {
            launch = launchOf(prepared);
        } catch (IOException refused) {
            if (!prefersMappedLayers()) {
                throw refused;
            }
            launch = instead(asOnDisk(meant));
        }
        var outcome = attempt(launch);
        if (failedAt(outcome, LaunchTask.MERGE_LAYERS).isPresent() && prefersMappedLayers()) {
            // Before Linux 5.19 a layer could be shown with other ids, but not merged.
            launch = instead(asOnDisk(meant));
            outcome = attempt(launch);
        }
        for (int i = 0; i < MOST_LOOKS && outcome instanceof Outcome.ChildFailure && hostHasChanged(); i++) {
            launch = launchOf(prepared);
            outcome = attempt(launch);
        }
        var refusedLayers = failedAt(outcome, LaunchTask.MERGE_LAYERS);
        if (refusedLayers.isPresent() && RootFallback.isFor(plan())) {
            var merged = RootFallback.take(plan(), refusal(launch, refusedLayers.get()), here.owner());
            fallback = merged;
            here.resources().onFailure(merged);
            here.descriptors().put(Slots.MERGED, merged.descriptor());
            launch = instead(RootFallback.applied(request.spec(), merged, services.host()));
            outcome = attempt(launch);
        }
        int most = request.spec().root().mounts().size();
        for (int i = 0; i < most && outcome instanceof Outcome.ChildFailure failure && Places.isFor(failure); i++) {
            var place = place();
            if (place.isEmpty()) {
                break;
            }
            launch = instead(place.get().applied(meant));
            outcome = attempt(launch);
        }
        if (outcome instanceof Outcome.Child started) {
            return started; // Not by the switch: linking it is for launches that fail.
        }
        return switch (outcome) {
            case Outcome.Child child -> child;
            case Outcome.ChildFailure failure -> throw refusal(launch, failure);
            case Outcome.Died died -> throw new LaunchException(FailureText.died(died.status()), "", null);
        };
    }

    /**
     * {@return the child that waited, at its execve}
     *
     * @param rest of its program
     */
    Outcome.Child start(Waiting child, Prepared rest) throws IOException {
        var launch = launchOf(rest);
        return switch (onThreadThatMayBlock(() -> child.proceed(launch, here.deadline()))) {
            case Outcome.Child started -> started;
            case Outcome.ChildFailure failure -> throw refusedStart(rest.plan(), failure);
            case Outcome.Died died -> throw new LaunchException(FailureText.died(died.status()), "", null);
        };
    }

    private LaunchException refusedStart(LaunchPlan plan, Outcome.ChildFailure failure) {
        var files = here.files();
        Optional<String> cause =
                MissingProgram.isFor(failure) && files != null ? files.whyMissing(plan) : Optional.empty();
        return new LaunchException(
                FailureText.of(failure.step(), failure.errno(), cause),
                failure.step().purpose(),
                new LinuxException(failure.errno(), FailureText.call(failure.step())));
    }

    /** What was planned for piece by piece may be gone, or have a mount in it, when the launch comes by; then there is a new plan. */
    private boolean hostHasChanged() throws IOException {
        var seen = plan().input().hostTree();
        if (seen.isEmpty()) {
            return false;
        }
        var now = prepared(meant);
        boolean changed = !now.plan().input().hostTree().equals(seen);
        prepared = changed ? now : prepared;
        return changed;
    }

    private boolean prefersMappedLayers() {
        return plan().input().idmappedLayers() && !request.spec().root().idmappedLayers();
    }

    private static Optional<Outcome.ChildFailure> failedAt(Outcome outcome, LaunchTask task) {
        return outcome instanceof Outcome.ChildFailure failure && task.isOf(failure.step())
                ? Optional.of(failure)
                : Optional.empty();
    }

    private static ContainerSpec asOnDisk(ContainerSpec spec) {
        return spec.root(r -> r.withLayerIds(LayerIds.AS_ON_DISK));
    }

    private Launch instead(ContainerSpec spec) throws IOException {
        meant = spec;
        prepared = prepared(spec);
        return launchOf(prepared);
    }

    private Prepared prepared(ContainerSpec spec) throws IOException {
        var decided = services.planner().decide(spec, request.command(), here.cgroupFiles());
        boolean whole = prepared.plan().input().part() == PlanInput.Part.WHOLE;
        return request.prepared().of(whole ? decided : decided.preparation());
    }

    /** {@return where the target of a mount really is, by a launch that asks and then fails} */
    private Optional<Places.LeadsElsewhere> place() throws IOException {
        try {
            var _ = services.launcher().launch(launchOf(prepared(Places.asking(meant))));
            return Optional.empty(); // Somebody made what was missing, or it is not a link's fault.
        } catch (Places.LeadsElsewhere elsewhere) {
            return Optional.of(elsewhere);
        }
    }

    private Launch launchOf(Prepared what) throws IOException {
        var plan = what.plan();
        var all = new HashMap<>(here.descriptors());
        all.putAll(layers(plan));
        Handover listening = fd -> listener.set(services.listeners()
                .listen(fd, plan.input().spec().privileges().supervised().orElseThrow()));
        return new Launch(
                what.program(),
                plan.mode(),
                plan.flags(),
                here.intoCgroup(),
                all,
                here.remembering(ParentSide.gates(plan, listening, here::terminal, here::known)));
    }

    /** {@return mounts of the layers for one launch, which takes them along} */
    private Map<Arg.Slot, Integer> layers(LaunchPlan plan) throws IOException {
        var input = plan.input();
        if (input.part() == PlanInput.Part.START
                || !input.idmappedLayers()
                || !(input.spec().root().source() instanceof Root.Layers(var overlay))) {
            return Map.of();
        }
        var layers = LayerMounts.make(
                services.namespaces(),
                overlay.lower(),
                input.idMap().orElseThrow(),
                input.spec().root().layerIds());
        here.resources().atEnd(layers);
        return layers.parameters();
    }

    private Outcome attempt(Launch launch) throws IOException {
        try {
            return onThreadThatMayBlock(
                    () -> here.launchedBy(services.launcher()).launch(launch, here.deadline()));
        } catch (LinuxException refused) {
            throw new LaunchException(
                    FailureText.clone(refused.call(), launch.cgroup().isPresent(), refused.errno(), services.host()),
                    "create the namespaces",
                    refused);
        }
    }

    private Outcome onThreadThatMayBlock(OnPlatformThread.Work<Outcome> work) throws IOException {
        if (request.spec().privileges().supervised().isEmpty()
                || !Thread.currentThread().isVirtual()) {
            return work.call();
        }
        // A supervisor may be asked about the very execve; the carrier must be free for it.
        return OnPlatformThread.call("caisson-launch", work);
    }

    private LaunchException refusal(Launch launch, Outcome.ChildFailure failure) {
        Optional<String> cause = MissingProgram.isFor(failure)
                ? MissingProgram.look(services.launcher(), services.planner(), again(launch), plan())
                : Optional.empty();
        return new LaunchException(
                Refusal.text(services.launcher(), again(launch), plan(), failure, cause),
                failure.step().purpose(),
                new LinuxException(failure.errno(), FailureText.call(failure.step())));
    }

    /** {@return the same launch, to learn more of why it failed} */
    private Launch again(Launch launch) {
        try {
            var descriptors = new HashMap<>(launch.descriptors());
            descriptors.putAll(layers(plan()));
            return new Launch(
                    launch.program(), launch.mode(), launch.flags(), launch.cgroup(), descriptors, launch.gates());
        } catch (IOException sayNoMore) {
            return launch;
        }
    }

    /** The command has ended, and nobody is left to be supervised. */
    void ended(LiveProcess process) {
        var open = listener.get();
        if (open != null) {
            process.supervisorKilled(open.killed());
            open.close();
        }
    }

    private void closeListener() {
        var open = listener.get();
        if (open != null) {
            open.close();
        }
    }
}
