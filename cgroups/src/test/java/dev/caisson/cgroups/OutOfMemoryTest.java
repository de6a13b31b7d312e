// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import static dev.caisson.cgroups.Cgroups.shell;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.Cgroups.View;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.cgroups.spec.OutOfMemory.Scope;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whose limit it was, by the kernel's log and by the counters alone. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class OutOfMemoryTest {
    /** What may be read. */
    enum Evidence {
        LOG_AND_COUNTERS,
        COUNTERS
    }

    private static Optional<OutOfMemory> cause(Cgroup cgroup, Evidence evidence) throws Exception {
        if (evidence == Evidence.LOG_AND_COUNTERS && !Files.isReadable(Path.of("/dev/kmsg"))) {
            Cgroups.skip(Need.KERNEL_LOG, "/dev/kmsg cannot be read here");
        }
        return evidence == Evidence.LOG_AND_COUNTERS ? cgroup.outOfMemory() : cgroup.outOfMemoryByCounters();
    }

    private static void exhaust(Cgroup cgroup) throws Exception {
        assertTrue(shell(cgroup, "exec tail /dev/zero").waitFor(60, TimeUnit.SECONDS));
    }

    private static Cgroup limited(CgroupMounts mounts, String parent, long megabytes) throws Exception {
        return Cgroup.builder(mounts)
                .parent(parent)
                .limits(Limits.none().memoryMax(megabytes, MB))
                .create();
    }

    @ParameterizedTest
    @EnumSource(Evidence.class)
    void itsOwnLimit(Evidence evidence) throws Exception {
        try (var cgroup = limited(View.ALL.with("memory"), "/", 16)) {
            exhaust(cgroup);
            var cause = cause(cgroup, evidence).orElseThrow();
            assertEquals(Scope.OWN, cause.scope());
            assertEquals("/" + cgroup.name(), cause.level().orElseThrow());
            assertEquals(MB.toBytes(16), cause.limitBytes().orElseThrow());
            assertTrue(cause.peakBytes().orElse(MB.toBytes(16)) <= MB.toBytes(16));
            assertEquals(1, cause.kills());
            assertTrue(cause.toString().contains("its own limit of 16777216 bytes"), cause.toString());
        }
    }

    @ParameterizedTest
    @EnumSource(Evidence.class)
    void theLimitOfACgroupAbove(Evidence evidence) throws Exception {
        var mounts = View.ALL.with("memory");
        try (var parent = limited(mounts, "/", 16);
                var cgroup = limited(mounts, "/" + parent.name(), 200)) {
            exhaust(cgroup);
            var cause = cause(cgroup, evidence).orElseThrow();
            assertEquals(Scope.ABOVE, cause.scope());
            assertEquals("/" + parent.name(), cause.level().orElseThrow());
            assertEquals(MB.toBytes(16), cause.limitBytes().orElseThrow());
        }
    }

    @ParameterizedTest
    @EnumSource(Evidence.class)
    void theLimitOfACgroupInside(Evidence evidence) throws Exception {
        var mounts = View.ALL.with("memory");
        try (var cgroup = limited(mounts, "/", 200)) {
            var inner = cgroup.child("inner", Limits.none().memoryMax(16, MB));
            exhaust(inner);
            var cause = cause(cgroup, evidence).orElseThrow();
            assertEquals(Scope.BELOW, cause.scope());
            assertEquals("/" + cgroup.name() + "/inner", cause.level().orElseThrow());
            assertEquals(MB.toBytes(16), cause.limitBytes().orElseThrow());
        }
    }

    @Test
    void aLimitThatWasMetWithoutAKillIsNone(@TempDir Path directory) throws Exception {
        try (var cgroup = limited(View.ALL.with("memory"), "/", 16)) {
            // Page cache beyond the limit is reclaimed.
            var writing = shell(cgroup, "head -c 40000000 /dev/zero > " + directory.resolve("file"));
            assertTrue(writing.waitFor(60, TimeUnit.SECONDS));
            assertEquals(Optional.empty(), cgroup.outOfMemory());
        }
    }

    @Test
    void itIsKnownAfterTheEnd() throws Exception {
        Cgroup cgroup = limited(View.ALL.with("memory"), "/", 16);
        try (cgroup) {
            exhaust(cgroup);
            assertTrue(cgroup.outOfMemory().isPresent());
        }
        assertEquals(Scope.OWN, cgroup.outOfMemory().orElseThrow().scope());
    }
}
