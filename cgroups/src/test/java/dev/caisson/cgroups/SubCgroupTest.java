// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import static dev.caisson.cgroups.Cgroups.shell;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.Cgroups.View;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A cgroup for a single command within that of all: limits of its own, an account of its own. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class SubCgroupTest {
    private static final int SIGKILL_CODE = 128 + 9;

    private static Process ready(Cgroup cgroup, String script) throws Exception {
        var process = shell(cgroup, script);
        assertEquals('r', process.getInputStream().read());
        return process;
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void eachCommandHasItsOwnAccountOfMemoryAndProcessorTime(View view) throws Exception {
        var limits = Limits.none().memoryMax(256, MB);
        try (var cgroup = Cgroup.builder(view.with("memory")).limits(limits).create()) {
            var large = cgroup.child("exec-1", limits);
            var small = cgroup.child("exec-2", limits);
            String work =
                    "x=$(head -c 30000000 /dev/zero | tr '\\0' x); x=; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
            var first = ready(large, work + "; echo ready; exec sleep 1000");
            var second = ready(small, "echo ready; exec sleep 1000");
            var most = large.usage();
            var least = small.usage();
            var peak = most.memoryPeakBytes();
            if (peak.isPresent()) {
                assertTrue(peak.getAsLong() > MB.toBytes(28), most::toString);
                assertTrue(least.memoryPeakBytes().orElseThrow() < MB.toBytes(20), least::toString);
                assertTrue(cgroup.usage().memoryPeakBytes().orElseThrow() >= peak.getAsLong());
            }
            assertTrue(most.cpuTime().orElseThrow().compareTo(least.cpuTime().orElseThrow()) > 0, most::toString);
            large.close();
            assertTrue(first.waitFor(5, TimeUnit.SECONDS));
            assertTrue(second.isAlive());
        }
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void aCommandMeetsItsOwnLimitsWhileTheOthersGoOn(View view) throws Exception {
        var mounts = view.with("memory");
        try (var cgroup =
                Cgroup.builder(mounts).limits(Limits.none().memoryMax(256, MB)).create()) {
            var other = ready(cgroup, "echo ready; exec sleep 1000");
            var command = cgroup.child("exec-1", Limits.none().memoryMax(16, MB));
            var victim = shell(command, "exec tail /dev/zero");
            assertTrue(victim.waitFor(60, TimeUnit.SECONDS));
            assertEquals(SIGKILL_CODE, victim.exitValue());
            assertTrue(command.outOfMemory().isPresent());
            assertTrue(other.isAlive());
        }
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void aCommandForksNoMoreThanItMay(View view) throws Exception {
        var mounts = view.with("pids");
        try (var cgroup =
                Cgroup.builder(mounts).limits(Limits.none().pidsMax(20)).create()) {
            var command = cgroup.child("exec-1", Limits.none().pidsMax(2));
            String said = Cgroups.output(shell(command, "(sleep 0.1 & sleep 0.1 & sleep 0.1 & wait) 2>&1"));
            assertTrue(said.toLowerCase(Locale.ROOT).contains("fork"), said);
        }
    }
}
