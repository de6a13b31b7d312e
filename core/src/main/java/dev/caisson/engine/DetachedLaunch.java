// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.InsideSpec;
import dev.caisson.launch.PlanInput;
import dev.caisson.launch.Root;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.child.Shim;
import dev.caisson.overlay.Overlay;
import dev.caisson.spec.LogFile;
import dev.caisson.spec.Stdio;
import dev.caisson.supervise.ContainerRecord;
import dev.caisson.supervise.StateDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The launch of a container that outlives this JVM: its name is claimed and its record written, its supervisor started, the
 * container launched by that one, and then let go. Whatever fails before that last step, or ends this JVM, leaves nothing but a
 * directory that the next one removes.
 */
final class DetachedLaunch {
    private static final long LOG_BYTES = 1 << 20;
    private static final int LOG_FILES = 2;

    private final Engine.Services services;
    private final Request request;

    DetachedLaunch(Engine.Services services, Request request) {
        this.services = services;
        this.request = request;
    }

    /** {@return what of a preset this host does not enforce} */
    List<String> launch() throws IOException {
        var state = StateDirectory.ofThisUser();
        request.spec().supervision().checkTogether();
        String name = request.spec().supervision().name().orElseThrow();
        String cgroupName = Detachment.newCgroupName(name);
        var asked = complete(request.spec(), state.path(name)).limits(l -> l.withCgroupName(cgroupName));
        // What contradicts itself is refused before anything is made.
        var input = services.planner().decide(asked, request.command(), List.of());
        if (input.idmappedLayers() && asked.supervision().restarts()) {
            throw new IllegalStateException(
                    "restart contradicts layers that are shown with the ids of a user namespace:"
                            + " their mounts are used up by the first launch; leave newUser out, copy the layers into a rootfs, or"
                            + " start the container again from a JVM");
        }
        var spec = keepsLayer(input) ? asked.root(r -> r.withUpper(upper(state.path(name)))) : asked;
        var prepared = state.prepare();
        StateDirectory.Claim claim;
        try {
            claim = state.publish(prepared, record(spec, cgroupName, input));
        } catch (IOException | RuntimeException | Error failed) {
            prepared.abandon();
            throw failed;
        }
        boolean done = false;
        Shim shim = null;
        try {
            shim = services.launcher().startShim(claim.directory(), claim.lock());
            var unenforced = launch(spec, new Detachment(spec, claim, shim));
            done = true;
            return unenforced;
        } finally {
            if (shim != null) {
                shim.close();
            }
            if (done) {
                claim.close();
            } else {
                claim.abandon();
            }
        }
    }

    private List<String> launch(ContainerSpec spec, Detachment detachment) throws IOException {
        var complete = new Request(spec, request.command(), request.prepared());
        try (var here = new Preparation(complete, detachment)) {
            if (LimitCgroup.isFor(spec)) {
                here.makeCgroup(services.launcher());
            }
            var decided = services.planner().decide(spec, request.command(), here.cgroupFiles());
            here.decided(decided, services.host());
            var prepared = request.prepared().of(decided);
            for (var step : ParentSteps.of(prepared.plan())) {
                step.action().run(here);
            }
            var attempts = new Attempts(services, complete, here, prepared);
            Outcome.Child child = attempts.launch();
            // What is launched ends with its supervisor, and that before the cgroup is removed.
            here.resources().onFailure(detachment.shim());
            here.detached(child, attempts, detachment);
            return here.unenforced(attempts);
        }
    }

    /** {@return the description with what a detached container has by default} */
    private static ContainerSpec complete(ContainerSpec spec, Path directory) {
        var process = spec.process();
        var log = Stdio.log(new LogFile(directory.resolve("log"), LogFile.Format.JSON, LOG_BYTES, LOG_FILES));
        return spec.process(p -> p.withStdin(process.stdin().orElse(Stdio.discard()))
                        .withStdout(process.stdout().orElse(log))
                        .withStderr(process.stderr().orElse(log)))
                .root(r -> r.withKept(spec.hasOwnRoot()));
    }

    /** {@return whether its writable layer is on disk by itself: in memory it would end with the first life} */
    private static boolean keepsLayer(PlanInput input) {
        return input.spec().supervision().restarts()
                && input.hostTree().isEmpty()
                && input.spec().root().source() instanceof Root.Layers(var overlay)
                && overlay.upper().isEmpty();
    }

    private static Overlay.Upper upper(Path directory) {
        return new Overlay.Upper(directory.resolve("upper"), directory.resolve("work"));
    }

    private ContainerRecord record(ContainerSpec spec, String cgroupName, PlanInput input) throws IOException {
        var owner = Preparation.owner(input, services.host());
        boolean ownCgroup = LimitCgroup.isFor(spec);
        return new ContainerRecord(
                spec.supervision().name().orElseThrow(),
                StateDirectory.boot(),
                Instant.now(),
                request.command(),
                ownCgroup ? Optional.of(cgroupName) : Optional.empty(),
                ownCgroup ? spec.limits().cgroupParent() : Optional.empty(),
                List.of(Detachment.log(spec, 1), Detachment.log(spec, 2)),
                owner.map(o -> OptionalLong.of(o.uid())).orElse(OptionalLong.empty()),
                owner.map(o -> OptionalLong.of(o.gid())).orElse(OptionalLong.empty()),
                Optional.of(InsideSpec.of(input, spec)));
    }
}
