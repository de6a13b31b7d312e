// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Feature;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Trials;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(NoLeaks.class)
class KernelTest {
    /** What no process of this machine can find out: this host may have no version 2 cgroup below the root. */
    private static final Set<Feature> MAY_STAY_UNKNOWN = EnumSet.of(Feature.CGROUP_KILL);

    @Test
    void theFeaturesWithoutAFallbackAreHere() {
        var kernel = Kernel.ofThisMachine();
        for (var feature : List.of(
                Feature.CLONE3,
                Feature.CLONE_CLEAR_SIGHAND,
                Feature.PIDFD,
                Feature.CLOSE_RANGE,
                Feature.OPENAT2,
                Feature.NEW_MOUNT_API,
                Feature.MOUNT_SETATTR)) {
            assertEquals(Kernel.Answer.YES, kernel.probe(feature), feature.title());
        }
    }

    @NeedsRoot
    @Test
    void aChildTellsWhatThisProcessCannot() {
        try (var launcher = new Launcher()) {
            var kernel = Kernel.ofThisMachine().asking(new Trials(launcher)::attempt);
            var unknown = new ArrayList<Feature>();
            for (var feature : Feature.values()) {
                if (kernel.probe(feature) == Kernel.Answer.COULD_NOT_TELL && !MAY_STAY_UNKNOWN.contains(feature)) {
                    unknown.add(feature);
                }
            }
            assertEquals(List.of(), unknown);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"USER_NAMESPACE", "OVERLAY", "OVERLAY_LOWERDIR_APPEND", "OVERLAY_USERXATTR"})
    void aTrialInAUserNamespaceAgreesWithTheProbeOfRoot(Feature feature) {
        try (var launcher = new Launcher()) {
            var here = Kernel.ofThisMachine().probe(feature);
            var there = new Trials(launcher).attempt(feature);
            if (here != Kernel.Answer.COULD_NOT_TELL && there != Kernel.Answer.COULD_NOT_TELL) {
                assertEquals(here, there);
            }
        }
    }

    @Test
    void probingMakesNoChildAndChangesNoNamespace() throws Exception {
        String before = namespaces();
        for (var feature : Feature.values()) {
            var _ = Kernel.ofThisMachine().probe(feature);
        }
        assertEquals(before, namespaces());
        assertEquals(-Errno.ECHILD.code(), waitForAnyChild());
    }

    private static String namespaces() throws Exception {
        var all = new StringBuilder();
        for (String name : List.of("uts", "mnt", "user", "pid")) {
            all.append(java.nio.file.Files.readSymbolicLink(java.nio.file.Path.of("/proc/thread-self/ns", name)));
        }
        return all.toString();
    }

    private static long waitForAnyChild() {
        try (var arena = Arena.ofConfined()) {
            int wallNohang = 0x40000001;
            return Native.call(
                    Syscall.WAIT4, -1, arena.allocate(ValueLayout.JAVA_INT).address(), wallNohang, 0, 0, 0);
        }
    }

    @Test
    void aFeatureCanBeDoneWithout() {
        var kernel = Kernel.ofThisMachine().without(Feature.CLONE3).without(Feature.OVERLAY);
        assertFalse(kernel.has(Feature.CLONE3));
        assertFalse(kernel.has(Feature.OVERLAY));
        assertTrue(kernel.has(Feature.OPENAT2));
    }

    @Test
    void aTrialIsAskedOnceAndOnlyWhereTheProbeDoesNotKnow() {
        var asked = new ArrayList<Feature>();
        var kernel = Kernel.ofThisMachine().asking(feature -> {
            asked.add(feature);
            return Kernel.Answer.NO;
        });
        for (int i = 0; i < 3; i++) {
            assertTrue(kernel.has(Feature.CLONE3));
            assertFalse(kernel.has(Feature.USER_NAMESPACE));
        }
        assertEquals(List.of(Feature.USER_NAMESPACE), asked);
    }
}
