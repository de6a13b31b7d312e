// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.spec.DeviceRules;
import dev.caisson.cgroups.spec.DeviceRules.Rule;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.linux.Signal;
import dev.caisson.spec.Namespace;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@NeedsRoot
@ExtendWith(NoLeaks.class)
class LimitsTest {
    @Test
    void whoTakesTooMuchMemoryDiesOfIt() throws Exception {
        // A shell variable of 200 MB: the command itself is the victim.
        var exit = overHost().memoryMax(32, MB).run("tail", "/dev/zero");
        if (!(exit instanceof Exit.Killed(var signal, Exit.OutOfMemory(var event)))) {
            throw new AssertionError(exit);
        }
        assertEquals(Signal.SIGKILL, signal);
        assertEquals(OutOfMemory.Scope.OWN, event.scope());
        assertTrue(event.level().orElseThrow().startsWith("/caisson-"), exit.toString());
        assertEquals(MB.toBytes(32), event.limitBytes().orElseThrow());
        assertEquals(1, event.victims().size(), exit.toString());
    }

    @Test
    void aLimitTooSmallToStartDoesNotHurtTheJvm() {
        for (int i = 0; i < 5; i++) {
            try {
                var _ = overHost().memoryMax(4096, dev.caisson.linux.ByteUnit.B).run("true");
            } catch (Exception refused) {
                assertTrue(refused instanceof ContainerException, refused.toString());
            }
        }
    }

    @Test
    void thereAreNoMoreProcessesThanAllowed() throws Exception {
        var output = overHost()
                .pidsMax(5)
                .capture("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done 2>/dev/null; wait; echo end");
        assertTrue(output.errorText().contains("fork") || !output.exit().isSuccess(), output.toString());
    }

    @Test
    void usageIsCounted() throws Exception {
        try (var container = overHost().memoryMax(64, MB).pidsMax(10).start("sh", "-c", "echo ready; sleep 100")) {
            assertEquals('r', container.stdout().read());
            var usage = container.usage();
            assertTrue(usage.memoryBytes().orElseThrow() > 0);
            assertTrue(usage.pids().orElseThrow().current() >= 1);
        }
    }

    @Test
    void aFrozenContainerStandsStillUntilItIsThawed() throws Exception {
        try (var container =
                overHost().limits(Limits.none()).start("sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; done")) {
            var out = container.stdout();
            assertEquals('1', out.read());
            container.freeze();
            while (out.available() > 0) {
                var _ = out.readNBytes(out.available());
            }
            Thread.sleep(50);
            assertEquals(0, out.available());
            container.thaw();
            assertTrue(out.read() > 0);
        }
    }

    @Test
    void aFrozenContainerIsClosedAllTheSame() throws Exception {
        try (var container = overHost().limits(Limits.none()).start("sleep", "1000")) {
            container.freeze();
        }
    }

    @Test
    void withoutACgroupOfItsOwnItCannotBeFrozen() throws Exception {
        try (var container = overHost().start("sleep", "1000")) {
            var refused = assertThrows(IllegalStateException.class, container::freeze);
            assertTrue(refused.getMessage().contains("limits(Limits.none())"), refused.getMessage());
        }
    }

    @Test
    void limitsChangeWhileItRuns() throws Exception {
        try (var container = overHost()
                .pidsMax(3)
                .start("sh", "-c", "echo a; read go; for i in 1 2 3 4 5; do sleep 1 & done; wait; echo enough")) {
            assertEquals('a', container.stdout().read());
            container.update(Limits.none().pidsMax(30));
            container.stdin().write('\n');
            container.stdin().close();
            assertTrue(new String(container.stdout().readAllBytes(), StandardCharsets.UTF_8).contains("enough"));
        }
    }

    @Test
    void itRunsOnItsProcessorsOnly() throws Exception {
        String list = Samples.sh(overHost().cpuset("0"), "grep Cpus_allowed_list /proc/self/status");
        assertEquals("Cpus_allowed_list:\t0", list.strip());
    }

    @Test
    void devicesThatNoRuleAllowsCannotBeOpened() throws Exception {
        var rules = DeviceRules.of(Rule.allow("c *:* m"), Rule.allow("c 1:3 rw"));
        String said = Samples.sh(
                overHost().devices(rules), "echo x >/dev/null && echo null; head -c 1 /dev/zero 2>&1 | tr '\\0' z");
        assertTrue(said.startsWith("null\n") && said.contains("not permitted"), said);
    }

    @Test
    void explainShowsWhatIsWritten() throws Exception {
        String plan = overHost().pidsMax(7).explain("true").toString();
        assertTrue(plan.contains("pids.max\", \"7\")"), plan);
        assertTrue(plan.contains("mkdir("), plan);
    }

    @Test
    void nothingOfThePayloadRunsOutsideAndTheJvmNeverEnters() throws Exception {
        var before = Files.readAllLines(Path.of("/proc/self/cgroup"));
        String inside =
                Samples.sh(overHost().host(Namespace.CGROUP).memoryMax(64, MB).pidsMax(9), "cat /proc/self/cgroup");
        assertTrue(inside.contains("/caisson-" + ProcessHandle.current().pid() + "-"), inside);
        assertEquals(before, Files.readAllLines(Path.of("/proc/self/cgroup")));
    }

    @Test
    void inACgroupNamespaceItsOwnCgroupIsTheRoot() throws Exception {
        for (var container : List.of(
                overHost().newCgroup().pidsMax(9),
                overHost().newCgroup().newUser().pidsMax(9))) {
            String inside = Samples.sh(container, "cat /proc/self/cgroup");
            assertFalse(inside.contains("caisson"), inside);
            assertTrue(
                    inside.lines()
                            .filter(l -> l.contains(":pids:") || l.startsWith("0::"))
                            .allMatch(l -> l.endsWith(":/")),
                    inside);
        }
    }
}
