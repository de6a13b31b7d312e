// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.child.Encoder;
import dev.caisson.linux.child.Launch;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Kernel;
import dev.caisson.linux.sys.Processes;
import dev.caisson.linux.sys.Sockets;
import dev.caisson.overlay.Overlay;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.Namespace;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** Fails every step of a container's launch once, and finds nothing left behind. */
@NeedsRoot
class FaultInjectionTest {
    private static ContainerSpec.Root root() {
        return new ContainerSpec.Root.Layers(
                new Overlay(List.of(Path.of("/")), Optional.empty(), OptionalLong.empty()));
    }

    private static ImmutableContainerSpec spec() {
        return ImmutableContainerSpec.builder()
                .root(root())
                .hostname("box")
                .capabilities(Capabilities.docker())
                .addNewNamespaces(Namespace.NETWORK, Namespace.IPC, Namespace.CGROUP, Namespace.TIME)
                .build();
    }

    private static LaunchPlan plan(ContainerSpec spec) throws Exception {
        var host = Hosts.ofThisProcess(Kernel.ofThisMachine());
        return new Planner(host).plan(spec, List.of("/bin/true"), List.of());
    }

    private static void failEveryStep(LaunchPlan plan) throws Exception {
        try (var launcher = new Launcher();
                var input = Files.open("/dev/null", Files.O_RDWR, 0)) {
            var status = Files.pipe();
            var kept = Sockets.pair();
            try (status;
                    kept) {
                var descriptors = new HashMap<String, Integer>();
                for (String name : List.of("stdin", "stdout", "stderr")) {
                    descriptors.put(name, input.number());
                }
                descriptors.put("status", status.writer().number());
                descriptors.put("kept", kept.far().number());
                int reached = 0;
                for (int k = 0; k < plan.program().steps().size(); k++) {
                    var before = NoLeaks.snapshot();
                    var outcome = launch(launcher, plan, k, descriptors);
                    if (outcome instanceof Outcome.ChildFailure failure) {
                        assertEquals(OptionalInt.of(k), failure.index());
                        assertEquals(Errno.EIO, failure.errno());
                        reached++;
                    } else {
                        // A step that this launch does not come by, such as the making of a directory that is there.
                        try (var pidfd =
                                assertInstanceOf(Outcome.Child.class, outcome).pidfd()) {
                            var _ = Processes.reap(pidfd);
                        }
                    }
                    NoLeaks.assertEqualsSoon(before);
                }
                assertTrue(reached > plan.program().steps().size() / 2, reached + " steps failed");
            }
        }
    }

    private static Outcome launch(Launcher launcher, LaunchPlan plan, int step, Map<String, Integer> descriptors)
            throws Exception {
        return launcher.launch(new Launch(
                Encoder.encode(plan.program().failingAt(step, Errno.EIO), Arch.host()),
                plan.mode(),
                plan.flags(),
                OptionalInt.empty(),
                descriptors,
                ParentSide.gates(plan)));
    }

    @Test
    void aContainerOfRootLeavesNothingBehind() throws Exception {
        failEveryStep(plan(spec()));
    }

    @Test
    void aContainerWhoseRootIsKeptLeavesNothingBehind() throws Exception {
        failEveryStep(plan(spec().withKeepsRoot(true)));
    }

    @Test
    void aContainerInAUserNamespaceLeavesNothingBehind() throws Exception {
        failEveryStep(plan(spec().withNewNamespaces(Namespace.USER, Namespace.NETWORK)));
    }
}
