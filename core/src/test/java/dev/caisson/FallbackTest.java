// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.launch.Hosts;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Planner;
import dev.caisson.launch.Slots;
import dev.caisson.linux.Arch;
import dev.caisson.linux.Feature;
import dev.caisson.linux.UnsupportedKernelException;
import dev.caisson.linux.child.Encoder;
import dev.caisson.linux.child.Launch;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Kernel;
import dev.caisson.linux.sys.Processes;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What is done where this kernel is taken to lack a feature, on the real kernel. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class FallbackTest {
    @TempDir
    Path directory;

    private static LaunchPlan plan(Feature missing, ContainerBuilder container, String script) throws Exception {
        var host = Hosts.ofThisProcess(Kernel.ofThisMachine().without(missing));
        return new Planner(host).plan(container.spec, List.of("/bin/sh", "-c", script), List.of());
    }

    private static int exitCode(LaunchPlan plan) throws Exception {
        try (var launcher = new Launcher();
                var nothing = dev.caisson.linux.sys.Files.open("/dev/null", OpenFlags.O_RDWR, 0)) {
            var descriptors = Map.of(
                    Slots.descriptor(0), nothing.number(),
                    Slots.descriptor(1), nothing.number(),
                    Slots.descriptor(2), nothing.number());
            var launch = Launch.direct(Encoder.encode(plan.program(), Arch.host()), plan.flags(), descriptors);
            var outcome = launcher.launch(launch);
            try (var pidfd = assertInstanceOf(Outcome.Child.class, outcome, outcome::toString)
                    .pidfd()) {
                return Processes.reap(pidfd).exitCode().orElseThrow();
            }
        }
    }

    /** Before Linux 6.8 all layers are one string, in which colons separate them. */
    @Test
    void layersAreOneStringWhereTheyCannotBeAppended() throws Exception {
        Path one = Files.createDirectory(directory.resolve("a:b"));
        Path two = Files.createDirectory(directory.resolve("c\\d"));
        Files.writeString(one.resolve("one"), "upper");
        Files.writeString(two.resolve("one"), "hidden");
        Files.writeString(two.resolve("two"), "lower");
        // Not "/", in which the other layers lie, so that one overlay does; /usr alone has a shell and what it needs.
        var container = Container.builder().lower(one, two, Path.of("/usr"));
        var plan = plan(
                Feature.OVERLAY_LOWERDIR_APPEND,
                container,
                "[ $(cat /one) = upper ] && [ $(cat /two) = lower ] && exit 9");
        assertTrue(plan.program().toString().contains("lowerdir=0:1:2,"), plan.program()::toString);
        assertEquals(9, exitCode(plan));
    }

    @Test
    void layersInsideOneAnotherAreMergedFromBelowByMountToo() throws Exception {
        Path layer = Files.createDirectories(directory.resolve("etc")).getParent();
        Files.writeString(layer.resolve("etc/of-the-layer"), "x");
        var container = Container.builder().lower(layer, Path.of("/"));
        var plan = plan(
                Feature.OVERLAY_LOWERDIR_APPEND, container, "[ -e /etc/of-the-layer -a -e /etc/passwd ] && exit 9");
        assertEquals(9, exitCode(plan));
    }

    @Test
    void clockOffsetsThatNoFirstProcessWouldSeeAreRefused() {
        var container = Samples.overHost().bootTimeOffset(Duration.ofDays(1));
        var refused = assertThrows(
                UnsupportedKernelException.class, () -> plan(Feature.TIME_NAMESPACE_AT_EXEC, container, "true"));
        assertEquals(Feature.TIME_NAMESPACE_AT_EXEC, refused.feature());
        assertTrue(refused.getMessage().contains("6.3"), refused.getMessage());
    }
}
