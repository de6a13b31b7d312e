// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.cgroups.CgroupPlan;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.FailureText;
import dev.caisson.launch.HostFacts;
import dev.caisson.launch.Hosts;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Planner;
import dev.caisson.launch.Root;
import dev.caisson.launch.Slots;
import dev.caisson.launch.UserNamespaces;
import dev.caisson.linux.Arch;
import dev.caisson.linux.Feature;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Trials;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Kernel;
import dev.caisson.linux.sys.Poller;
import dev.caisson.process.LiveProcess;
import dev.caisson.seccomp.notify.Listeners;
import dev.caisson.spec.Namespace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What all containers of this JVM share: the launcher, the poller, what is known of the host. Executes plans. Every
 * descriptor, cgroup and process it makes for a launch that then fails is gone when the exception arrives.
 */
public final class Engine {
    private static final Shared SHARED = new Shared();

    private final Launcher launcher = new Launcher();
    private final Kernel kernel = Kernel.ofThisMachine().asking(new Trials(launcher)::attempt);
    private final Services services;
    private final Sweep sweep = new Sweep();

    /** What a launch asks for. */
    record Services(
            Launcher launcher, Planner planner, HostFacts host, UserNamespaces namespaces, Listeners listeners) {}

    private Engine() throws IOException {
        try {
            var _ = Arch.host(); // Caisson knows it, or nothing can be done.
            launcher.begin();
            var host = Hosts.ofThisProcess(kernel);
            services = new Services(
                    launcher, new Planner(host), host, new UserNamespaces(launcher), new Listeners(launcher));
        } catch (IOException | RuntimeException | Error refused) {
            launcher.close();
            throw refused;
        }
    }

    /**
     * {@return the one of this JVM, made when the first container is}
     *
     * @throws LaunchException if it cannot be made now; the next call tries again
     */
    public static Engine shared() throws LaunchException {
        var engine = SHARED.get();
        engine.awaitLauncher();
        return engine;
    }

    /**
     * {@return the one of this JVM, at once} Its launcher may still be starting: in a new JVM that takes as long as the plan of
     * the first launch, which so costs no time of its own.
     *
     * @throws LaunchException if it cannot be made now; the next call tries again
     */
    public static Engine beginning() throws LaunchException {
        return SHARED.get();
    }

    private void awaitLauncher() throws LaunchException {
        try {
            launcher.start();
        } catch (IOException | IllegalCallerException | IllegalStateException | UnsupportedOperationException refused) {
            throw nothingCanBeStarted(refused);
        }
    }

    private static LaunchException nothingCanBeStarted(Exception refused) {
        String why = "nothing can be started here: " + refused.getMessage();
        return new LaunchException(
                FailureText.confinement().map(c -> why + "; " + c).orElse(why), "", refused);
    }

    /** Not a static initializer: where descriptors or memory are short for a moment, making it fails, and works later. */
    private static final class Shared {
        private @Nullable Engine engine;

        synchronized Engine get() throws LaunchException {
            if (engine == null) {
                try {
                    engine = new Engine();
                } catch (IOException
                        | IllegalCallerException
                        | IllegalStateException
                        | UnsupportedOperationException refused) {
                    throw nothingCanBeStarted(refused);
                }
            }
            return engine;
        }

        synchronized void close() {
            if (engine == null) {
                return;
            }
            var services = engine.services;
            if (!services.launcher().isIdle()) {
                throw new IllegalStateException("shutdown: containers still run; close them first");
            }
            services.listeners().close();
            services.namespaces().close();
            services.launcher().close();
            engine = null;
            Poller.closeShared();
        }
    }

    /**
     * Ends the one of this JVM, if there is one; the next caller that needs it gets another.
     *
     * @throws IllegalStateException if a container still runs
     */
    public static void closeShared() {
        SHARED.close();
    }

    /** Has something done, by a thread that may take its time, if a prepared container ends before it is started. */
    public void onEnd(PreparedLaunch prepared, Runnable work) throws IOException {
        prepared.onEnd(Poller.shared(), work);
    }

    /** {@return what is known of this host and process} */
    public HostFacts host() {
        return services.host();
    }

    /** {@return what this kernel can do} */
    public Kernel kernel() {
        return kernel;
    }

    /**
     * What a launch would do.
     *
     * @param cgroup how its cgroup is made, if it has one
     * @param parent what the JVM does before the clone
     * @param missing what this kernel lacks for it
     * @param unenforced what of a preset this host cannot enforce
     */
    public record Explained(
            LaunchPlan plan,
            Optional<CgroupPlan> cgroup,
            List<ParentStep> parent,
            List<Feature> missing,
            List<String> unenforced) {}

    /** {@return what a launch would do} Nothing is done. */
    public Explained explain(Request request) throws IOException {
        var spec = request.spec();
        var limits = LimitCgroup.plan(request);
        var cgroupFiles = limits.made().map(CgroupPlan::entered).orElse(List.of()).stream()
                .map(Slots::cgroup)
                .toList();
        var plan = services.planner().plan(spec, request.command(), cgroupFiles);
        return new Explained(
                plan, limits.made(), ParentSteps.of(plan), missing(spec), limits.unenforcedAnd(plan.unenforced()));
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

    /**
     * Launches a command.
     *
     * @return it, alive, to be {@linkplain #watch watched}
     */
    public Started launch(Request request) throws IOException {
        if (request.entrance().isPresent()) {
            return launchInside(request, request.entrance().get());
        }
        return launchHere(request);
    }

    /** One that ends meanwhile takes the command along, or keeps it from being started: that is the reason then. */
    private Started launchInside(Request request, Entrance entrance) throws IOException {
        if (entrance.isFrozen()) {
            throw new LaunchException(
                    "command: the container is frozen, and so would the command be before its execve; thaw() it first",
                    "",
                    null);
        }
        try {
            if (request.spec().namespaces().joins().isEmpty()) {
                entrance.open().close();
            }
            return launchHere(request);
        } catch (IOException | IllegalStateException failed) {
            if (entrance.hasEnded()) {
                throw new LaunchException("command: the container has ended, and nothing can be run in it", "", failed);
            }
            throw failed;
        }
    }

    private Started launchHere(Request request) throws IOException {
        try (var here = new Preparation(request)) {
            if (LimitCgroup.isFor(request.spec())) {
                awaitLauncher();
                here.makeCgroup(launcher);
                sweep.after(request.spec().limits().cgroupParent());
            }
            var decided = services.planner()
                    .decide(request.spec(), request.command(), here.cgroupFiles(), request.prepared());
            here.decided(decided, services.host());
            var prepared = request.prepared().of(decided);
            var steps = ParentSteps.of(prepared.plan());
            awaitLauncher();
            for (var step : steps) {
                step.action().run(here);
            }
            var attempts = new Attempts(services, request, here, prepared);
            return here.launched(attempts.launch(), attempts);
        } catch (IllegalCallerException denied) {
            throw nothingCanBeStarted(denied); // By a plan that asked what the kernel can do.
        }
    }

    /**
     * Makes all that comes before a command: a child waits in its namespaces, on its root, in its cgroup. The timeout does not
     * count yet.
     *
     * @param request the command is not looked at
     */
    public PreparedLaunch prepare(Request request) throws IOException {
        if (request.spec().namespaces().joined(Namespace.PID).isPresent()) {
            throw new IllegalStateException(
                    "prepare contradicts join(PID): the process that enters a PID namespace is made"
                            + " at the start; start it at once, or give it one of its own");
        }
        var here = new Preparation(request);
        try {
            here.prepares();
            if (LimitCgroup.isFor(request.spec())) {
                here.makeCgroup(launcher);
                sweep.after(request.spec().limits().cgroupParent());
            }
            var decided = services.planner()
                    .decide(request.spec(), request.command(), here.cgroupFiles(), request.prepared())
                    .preparation();
            here.decided(decided, services.host());
            var prepared = request.prepared().of(decided);
            for (var step : ParentSteps.of(prepared.plan())) {
                step.action().run(here);
            }
            if (decided.principal().isPresent()) {
                here.known(decided.principal().get());
            }
            var attempts = new Attempts(services, request, here, prepared);
            var child = attempts.launch();
            here.prepared(child, attempts);
            return new PreparedLaunch(here, attempts, child);
        } catch (IllegalCallerException denied) {
            undo(here, denied);
            throw nothingCanBeStarted(denied);
        } catch (IOException | RuntimeException | Error failed) {
            undo(here, failed);
            throw failed;
        }
    }

    private static void undo(Preparation here, Throwable because) {
        try {
            here.close();
        } catch (IOException | RuntimeException | Error alsoFailed) {
            because.addSuppressed(alsoFailed);
        }
    }

    /**
     * Launches a container that outlives this JVM. It runs and is recorded when this returns.
     *
     * @return what of a preset this host does not enforce
     * @throws java.nio.file.FileAlreadyExistsException if its name is taken
     */
    public List<String> launchDetached(Request request) throws IOException {
        return new DetachedLaunch(services, request).launch();
    }

    /**
     * Watches a launched command.
     *
     * @param waits whether the caller does nothing but wait for its end
     */
    public void watch(Started started, ContainerSpec spec, boolean waits) throws IOException {
        var process = started.process();
        var timeout = spec.process().timeout().orElse(null);
        try {
            if (waits) {
                process.awaitBriefly(timeout);
            }
            process.watch(Poller.shared(), timeout);
            if (spec.entered() && !started.entrance().endsAll()) {
                endWith(process, started.entrance());
            }
        } catch (IOException refused) {
            throw abandoned(process, refused);
        } catch (RuntimeException | Error bug) {
            var _ = abandoned(process, bug);
            throw bug;
        }
    }

    /** Where they share the PID namespace of others the kernel does not end the command with the container. */
    private void endWith(LiveProcess process, Entrance entrance) throws IOException {
        Fd container;
        try {
            container = entrance.open();
        } catch (IOException ended) {
            process.kill(LiveProcess.Cause.CONTAINER_ENDED);
            return;
        }
        process.endWith(Poller.shared(), container);
    }

    private static <T extends Throwable> T abandoned(LiveProcess process, T because) {
        try {
            process.abandon();
        } catch (IOException | RuntimeException | Error alsoFailed) {
            because.addSuppressed(alsoFailed);
        }
        return because;
    }
}
