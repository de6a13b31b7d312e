// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.Container;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.EncodedProgram;
import dev.caisson.linux.child.Encoder;
import dev.caisson.linux.child.Launch;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.child.Step;
import dev.caisson.linux.child.Waiting;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Kernel;
import dev.caisson.linux.sys.Processes;
import dev.caisson.linux.sys.Sockets;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.seccomp.notify.Listeners;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.Join;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Fails every step of a container's launch once, and finds nothing left behind. */
@NeedsRoot
class FaultInjectionTest {
    private static final Launcher LAUNCHER = new Launcher();
    private static final Listeners LISTENERS = new Listeners(LAUNCHER);

    /** Of terminals, which must not be hung up as long as a child makes something of them. */
    private static final List<Fd> MASTERS = new ArrayList<>();

    private static void hangUp() {
        MASTERS.forEach(Fd::close);
        MASTERS.clear();
    }

    @AfterAll
    static void close() {
        LISTENERS.close();
        LAUNCHER.close();
    }

    private static ContainerSpec spec() {
        return ImmutableContainerSpec.builder()
                .root(ImmutableRootSpec.builder().addLower(Path.of("/")).build())
                .namespaces(ImmutableNamespaceSpec.builder()
                        .hostname("box")
                        .addFresh(Namespace.NETWORK, Namespace.IPC, Namespace.CGROUP, Namespace.TIME)
                        .build())
                .privileges(ImmutablePrivilegeSpec.builder()
                        .capabilities(Capabilities.docker())
                        .build())
                .build();
    }

    private static LaunchPlan plan(ContainerSpec spec) throws Exception {
        var host = Hosts.ofThisProcess(Kernel.ofThisMachine());
        return new Planner(host).plan(spec, List.of("/bin/true"), List.of());
    }

    private static void failEveryStep(LaunchPlan plan) throws Exception {
        failEveryStep(plan, Map.of(), Optional.empty());
    }

    private static void failEveryStep(LaunchPlan plan, Map<Arg.Slot, Integer> more) throws Exception {
        failEveryStep(plan, more, Optional.empty());
    }

    /** @param layers mounts of layers for one launch, which it uses up */
    private static void failEveryStep(
            LaunchPlan plan, Map<Arg.Slot, Integer> more, Optional<Callable<LayerMounts>> layers) throws Exception {
        try (var launcher = new Launcher();
                var input = Files.open("/dev/null", OpenFlags.O_RDWR, 0)) {
            var status = Files.pipe();
            var kept = Sockets.pair();
            try (status;
                    kept) {
                var descriptors = new HashMap<>(more);
                for (int number = 0; number < 3; number++) {
                    descriptors.put(Slots.descriptor(number), input.number());
                }
                descriptors.put(Slots.STATUS, status.writer().number());
                descriptors.put(Slots.KEPT, kept.far().number());
                int reached = 0;
                for (int k = 0; k < plan.program().steps().size(); k++) {
                    if (isHandingOver(plan, k)) {
                        continue;
                    }
                    var before = NoLeaks.snapshot();
                    Outcome outcome;
                    try (var mounts = layers.isPresent() ? layers.get().call() : null) {
                        if (mounts != null) {
                            descriptors.putAll(mounts.parameters());
                        }
                        outcome = launch(launcher, plan, k, descriptors);
                    }
                    if (outcome instanceof Outcome.ChildFailure failure) {
                        if (!failure.index().equals(OptionalInt.of(k)) && hostHasChanged(plan)) {
                            failEveryStep(again(plan), more, layers);
                            return;
                        }
                        assertEquals(OptionalInt.of(k), failure.index(), failure.toString());
                        assertEquals(Errno.EIO, failure.errno());
                        reached++;
                    } else {
                        // A step that this launch does not come by, such as the making of a directory that is there.
                        var child = assertInstanceOf(Outcome.Child.class, outcome);
                        child.waiting().ifPresent(Waiting::close);
                        var _ = child.reap();
                    }
                    hangUp();
                    NoLeaks.assertEqualsSoon(before);
                }
                assertTrue(reached > plan.program().steps().size() / 2, reached + " steps failed");
            }
        }
    }

    /**
     * {@return whether somebody has changed the host's root since it was planned to be shown, piece by piece} Another test
     * need only mount something in /tmp, and that is no layer any more. An engine plans anew then, as ChangingHostTest shows.
     */
    private static boolean hostHasChanged(LaunchPlan plan) throws Exception {
        var seen = plan.input().hostTree();
        return seen.isPresent() && !again(plan).input().hostTree().equals(seen);
    }

    private static LaunchPlan again(LaunchPlan plan) throws Exception {
        var decided = decided(plan.input().spec());
        return LaunchPlan.compile(plan.input().part() == PlanInput.Part.WHOLE ? decided : decided.preparation());
    }

    /**
     * Between the fork of a second child and the report of its pid the first one branches and writes to a pipe that has
     * room, which cannot fail; if it were killed there, the second would end by itself.
     */
    private static boolean isHandingOver(LaunchPlan plan, int step) {
        int steps = 4;
        for (int k = Math.max(0, step - steps); k < step; k++) {
            if (plan.program().steps().get(k).operation() instanceof Step.Invoke(var call, var _)
                    && call.syscall() == Syscall.CLONE
                    && call.toString().contains("CLONE_PARENT|")) {
                return true;
            }
        }
        return false;
    }

    private static Outcome launch(Launcher launcher, LaunchPlan plan, int step, Map<Arg.Slot, Integer> descriptors)
            throws Exception {
        return launcher.launch(launch(
                plan, Encoder.encode(plan.program().failingAt(step, Errno.EIO), Arch.host()), descriptors));
    }

    private static Launch launch(LaunchPlan plan, EncodedProgram program, Map<Arg.Slot, Integer> descriptors) {
        return new Launch(
                program,
                plan.mode(),
                plan.flags(),
                OptionalInt.empty(),
                descriptors,
                ParentSide.gates(
                        plan,
                        fd -> LISTENERS.listen(
                                fd,
                                plan.input().spec().privileges().supervised().orElseThrow()),
                        MASTERS::add,
                        _ -> {}));
    }

    @Test
    void aContainerOfRootLeavesNothingBehind() throws Exception {
        failEveryStep(plan(spec()));
    }

    private static ContainerSpec supervised(Seccomp policy) {
        return spec().privileges(p -> p.plus(policy));
    }

    @Test
    void aSupervisedContainerLeavesNothingBehind() throws Exception {
        var policy = Seccomp.otherwise(Action.allow()).supervise(Syscall.EXECVE, _ -> Reply.proceed());
        failEveryStep(plan(supervised(policy)));
    }

    @Test
    void aSupervisedContainerThatMayNotSendItsListenerLeavesNothingBehind() throws Exception {
        var policy = Seccomp.otherwise(Action.allow())
                .supervise(Syscall.EXECVE, _ -> Reply.proceed())
                .fail(Errno.EPERM, Syscall.SENDMSG);
        var plan = plan(supervised(policy));
        assertEquals(Launch.Mode.ISOLATED, plan.mode());
        failEveryStep(plan);
    }

    @Test
    void aContainerWhoseRootIsKeptLeavesNothingBehind() throws Exception {
        failEveryStep(plan(spec().root(r -> r.withKept(true))));
    }

    private static ContainerSpec withTerminal(ContainerSpec spec) {
        var terminal = Stdio.terminal(80, 24);
        return spec.process(p -> p.withStdin(terminal).withStdout(terminal).withStderr(terminal));
    }

    @Test
    void aContainerWithATerminalLeavesNothingBehind() throws Exception {
        failEveryStep(plan(withTerminal(spec().process(p -> p.withInit(true)))));
    }

    @Test
    void aContainerWhoseUserIsLookedUpLeavesNothingBehind() throws Exception {
        failEveryStep(plan(spec().process(p -> p.withUser(UserSpec.parse("daemon")))));
    }

    @Test
    void aContainerInAUserNamespaceLeavesNothingBehind() throws Exception {
        failEveryStep(plan(spec().namespaces(n -> n.withFresh(Namespace.USER, Namespace.NETWORK))
                .root(r -> r.withLayerIds(LayerIds.AS_ON_DISK))));
    }

    @Test
    void aContainerInAUserNamespaceOverMountsOfTheJvmLeavesNothingBehind() throws Exception {
        var plan = plan(spec().namespaces(n -> n.withFresh(Namespace.USER, Namespace.NETWORK)));
        try (var launcher = new Launcher();
                var namespaces = new UserNamespaces(launcher)) {
            failEveryStep(
                    plan,
                    Map.of(),
                    Optional.of(() -> LayerMounts.make(
                            namespaces,
                            List.of(Path.of("/")),
                            plan.input().idMap().orElseThrow(),
                            LayerIds.MAPPED_WHERE_POSSIBLE)));
        }
    }

    @Test
    void aCommandInAnotherContainersNamespacesLeavesNothingBehind() throws Exception {
        try (var first = Container.builder().lower(Path.of("/")).newNetwork().start("sleep", "100");
                var pid = Files.open("/proc/" + first.pid() + "/ns/pid", OpenFlags.O_RDONLY, 0);
                var network = Files.open("/proc/" + first.pid() + "/ns/net", OpenFlags.O_RDONLY, 0)) {
            var spec = ImmutableContainerSpec.builder()
                    .bare(true)
                    .namespaces(ImmutableNamespaceSpec.builder()
                            .addJoins(new Join.OfProcess(Namespace.PID, first.pid()))
                            .addJoins(new Join.OfProcess(Namespace.NETWORK, first.pid()))
                            .build())
                    .build();
            failEveryStep(
                    plan(spec),
                    Map.of(Slots.join(Namespace.PID), pid.number(), Slots.join(Namespace.NETWORK), network.number()));
        }
    }

    /** As the engine does, in two parts. */
    private static PlanInput decided(ContainerSpec spec) throws Exception {
        var host = Hosts.ofThisProcess(Kernel.ofThisMachine());
        return new Planner(host).decide(spec, List.of("/bin/true"), List.of());
    }

    private static List<ContainerSpec> variants() {
        var spec = spec().root(r -> r.withKept(true));
        return List.of(
                spec,
                spec.process(p -> p.withUser(UserSpec.parse("daemon")).withInit(true)),
                withTerminal(spec),
                spec.namespaces(n -> n.withFresh(Namespace.USER, Namespace.NETWORK))
                        .root(r -> r.withLayerIds(LayerIds.AS_ON_DISK)),
                supervised(Seccomp.otherwise(Action.allow()).supervise(Syscall.EXECVE, _ -> Reply.proceed())));
    }

    @Test
    void aPreparationThatFailsLeavesNothingBehind() throws Exception {
        for (var spec : variants()) {
            failEveryStep(LaunchPlan.compile(decided(spec).preparation()));
        }
    }

    @Test
    void aStartAfterAPreparationThatFailsLeavesNothingBehind() throws Exception {
        for (var spec : variants()) {
            var decided = decided(spec);
            var preparation = LaunchPlan.compile(decided.preparation());
            failEveryStepOfTheStart(
                    preparation,
                    LaunchPlan.compile(decided.start(spec.process(), List.of("/bin/true"), Principal.root())));
        }
    }

    private static void failEveryStepOfTheStart(LaunchPlan preparation, LaunchPlan plan) throws Exception {
        try (var launcher = new Launcher();
                var input = Files.open("/dev/null", OpenFlags.O_RDWR, 0);
                var status = Files.pipe();
                var kept = Sockets.pair()) {
            var descriptors = new HashMap<Arg.Slot, Integer>();
            for (int number = 0; number < 3; number++) {
                descriptors.put(Slots.descriptor(number), input.number());
            }
            descriptors.put(Slots.STATUS, status.writer().number());
            int reached = 0;
            for (int k = 0; k < plan.program().steps().size(); k++) {
                var before = NoLeaks.snapshot();
                var child = assertInstanceOf(
                        Outcome.Child.class,
                        launcher.launch(launch(
                                preparation,
                                Encoder.encode(preparation.program(), Arch.host()),
                                Map.of(Slots.KEPT, kept.far().number()))));
                Sockets.receive(kept.near(), 3).forEach(Fd::close);
                var outcome = child.waiting()
                        .orElseThrow()
                        .proceed(
                                launch(
                                        plan,
                                        Encoder.encode(plan.program().failingAt(k, Errno.EIO), Arch.host()),
                                        descriptors),
                                OptionalLong.empty());
                if (outcome instanceof Outcome.ChildFailure failure) {
                    assertEquals(OptionalInt.of(k), failure.index());
                    assertEquals(Errno.EIO, failure.errno());
                    reached++;
                } else {
                    var _ = assertInstanceOf(Outcome.Child.class, outcome).reap();
                }
                hangUp();
                NoLeaks.assertEqualsSoon(before);
            }
            assertTrue(reached > plan.program().steps().size() / 2, reached + " steps failed");
        }
    }

    @Test
    void aFurtherCommandOfAContainerLeavesNothingBehind() throws Exception {
        var container = Container.builder().lower(Path.of("/")).bootTimeOffset(Duration.ofDays(1));
        try (var first = container.start("sleep", "100");
                var pidfd = Processes.open((int) first.pid());
                var clocks = Files.open("/proc/" + first.pid() + "/ns/time_for_children", OpenFlags.O_RDONLY, 0)) {
            var namespaces = EnumSet.allOf(Namespace.class);
            namespaces.remove(Namespace.USER);
            var policy = Seccomp.otherwise(Action.allow()).supervise(Syscall.EXECVE, _ -> Reply.proceed());
            var inside = new InsideSpec(supervised(policy), namespaces, Optional.empty(), true);
            var command = inside.command(() -> Files.duplicate(pidfd.number()).release());
            var descriptors = new HashMap<Arg.Slot, Integer>();
            namespaces.forEach(namespace -> descriptors.put(Slots.join(namespace), pidfd.number()));
            descriptors.put(Slots.join(Namespace.TIME), clocks.number());
            for (var spec : List.of(
                    command, // with a reaper
                    command.limits(l -> l.withSet(Limits.none())),
                    command.process(p -> p.withUser(UserSpec.parse("daemon"))),
                    command.privileges(PrivilegeSpec::unfiltered))) {
                failEveryStep(plan(spec), descriptors);
            }
        }
    }
}
