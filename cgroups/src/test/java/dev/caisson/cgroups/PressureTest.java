// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import static dev.caisson.cgroups.Cgroups.shell;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.Cgroups.View;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.Pressure;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Pressure triggers on the real kernel. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class PressureTest {
    private static final int NOBODY = 65534;
    private static final int CAP_SYS_RESOURCE = 24;
    private static final Duration STALL = Duration.ofMillis(50);
    private static final Duration WINDOW = mayUseShortWindows() ? Duration.ofMillis(500) : Duration.ofSeconds(2);

    /** Root itself may be without CAP_SYS_RESOURCE. */
    private static boolean mayUseShortWindows() {
        try {
            String capabilities = Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(l -> l.startsWith("CapEff:"))
                    .findFirst()
                    .orElse("CapEff:\t0");
            return (Long.parseUnsignedLong(capabilities.substring(8), 16) >>> CAP_SYS_RESOURCE & 1) == 1;
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    private static CgroupMounts withPressure() throws IOException {
        var mounts = View.ALL.mounts();
        if (mounts.unified().isEmpty() || !Files.isDirectory(Path.of("/proc/pressure"))) {
            Cgroups.skip(Need.PSI, "pressure of cgroups needs version 2 and a kernel with psi=1");
        }
        return mounts;
    }

    private static void crowd(Cgroup cgroup) throws IOException {
        for (int i = 0; i <= Runtime.getRuntime().availableProcessors(); i++) {
            shell(cgroup, "while :; do :; done");
        }
    }

    @Test
    void whoWaitsForAProcessorIsTold() throws Exception {
        try (var cgroup = Cgroup.builder(withPressure()).create()) {
            var trigger = Pressure.cpu().some(STALL, WINDOW);
            var events = Recorder.of(cgroup.pressure(trigger));
            crowd(cgroup);
            var event = events.await(Pressure.Event.class);
            assertEquals(trigger, event.trigger());
            assertTrue(event.times() >= 1);
            assertTrue(event.now().some().orElseThrow().total().compareTo(STALL) >= 0, event.toString());
            // Once in each window.
            events.awaitThat(() -> events.events().size() >= 3);
        }
    }

    @Test
    void whoseMemoryIsReclaimedIsTold(@TempDir Path directory) throws Exception {
        withPressure();
        var mounts = View.ALL.with("memory");
        try (var cgroup =
                Cgroup.builder(mounts).limits(Limits.none().memoryMax(16, MB)).create()) {
            var events = Recorder.of(cgroup.pressure(Pressure.memory().some(Duration.ofMillis(1), WINDOW)));
            // Page cache beyond the limit, which has to be reclaimed.
            shell(cgroup, "while :; do head -c 40000000 /dev/zero > " + directory.resolve("file") + "; done");
            assertTrue(events.await(Pressure.Event.class).now().some().isPresent());
        }
    }

    @Test
    void withoutPressureThereIsNoEvent() throws Exception {
        Recorder<Pressure.Event> events;
        try (var cgroup = Cgroup.builder(withPressure()).create()) {
            events = Recorder.of(cgroup.pressure(Pressure.io().full(STALL, WINDOW)));
            shell(cgroup, "exec sleep 100");
            Thread.sleep(2 * WINDOW.toMillis() + 200);
            assertTrue(events.events().isEmpty(), events.events().toString());
        }
        events.awaitEnd();
        assertTrue(events.isComplete());
    }

    @Test
    void eventsOfASlowSubscriberAreCounted() throws Exception {
        try (var cgroup = Cgroup.builder(withPressure()).create()) {
            var events = new Recorder<Pressure.Event>(0);
            cgroup.pressure(Pressure.cpu().some(STALL, WINDOW)).subscribe(events);
            crowd(cgroup);
            Thread.sleep(3 * WINDOW.toMillis() + 500);
            assertTrue(events.events().isEmpty());
            events.subscription().request(1);
            assertTrue(events.await(Pressure.Event.class).times() >= 2);
            events.subscription().cancel();
        }
    }

    @Test
    void whoRemovesTheCgroupEndsTheStream() throws Exception {
        try (var cgroup = Cgroup.builder(withPressure().unifiedOnly()).create()) {
            var events = Recorder.of(cgroup.pressure(Pressure.cpu().some(STALL, WINDOW)));
            Files.delete(cgroup.directories().getFirst());
            events.awaitEnd();
            assertEquals(
                    Reason.VANISHED,
                    assertInstanceOf(CgroupException.class, events.failure()).reason());
            var refused = assertThrows(
                    CgroupException.class, () -> cgroup.pressure(Pressure.cpu().some(STALL, WINDOW)));
            assertEquals(Reason.VANISHED, refused.reason());
        }
    }

    @Test
    void version1SaysThatItHasNone() throws Exception {
        try (var cgroup = Cgroup.builder(View.VERSION_1.mounts()).create()) {
            var refused = assertThrows(
                    CgroupException.class, () -> cgroup.pressure(Pressure.cpu().some(STALL, WINDOW)));
            assertEquals(Reason.NOT_IN_THIS_VERSION, refused.reason());
            assertTrue(refused.getMessage().contains("cgroup2"), refused.getMessage());
        }
    }

    @Test
    void whereItIsTurnedOffTheErrorSaysSo() throws Exception {
        try (var cgroup = Cgroup.builder(withPressure()).create()) {
            Path file = cgroup.directory("").orElseThrow().resolve("cgroup.pressure");
            if (!Files.exists(file)) {
                Cgroups.skip(Need.RECENT_KERNEL, "this kernel has no cgroup.pressure (Linux 6.1)");
            }
            Files.writeString(file, "0");
            var refused = assertThrows(
                    CgroupException.class, () -> cgroup.pressure(Pressure.cpu().some(STALL, WINDOW)));
            assertEquals(Reason.MISSING_FILE, refused.reason());
            assertTrue(refused.getMessage().contains("cgroup.pressure"), refused.getMessage());
            assertTrue(cgroup.usage().pressure().cpu().isEmpty());
        }
    }

    /** What an ordinary user runs: triggers on a cgroup that is given by its name. */
    static final class Ordinary {
        public static void main(String[] args) throws Exception {
            var cgroup = Existing.open(CgroupMounts.ofThisProcess().unifiedOnly(), Optional.of(args[0]), args[1]);
            for (var window : new Duration[] {Duration.ofSeconds(1), Duration.ofSeconds(2)}) {
                try {
                    var _ = cgroup.pressure(Pressure.cpu().some(STALL, window));
                    System.out.println("granted");
                } catch (CgroupException refused) {
                    System.out.println(refused.reason() + " " + refused.getMessage());
                }
            }
        }
    }

    @Test
    void anOrdinaryUserHasLongWindowsInItsOwnCgroup(@TempDir Path copies) throws Exception {
        var mounts = withPressure().unifiedOnly();
        try (var parent = Cgroup.builder(mounts).create()) {
            var cgroup = parent.child("own", Limits.none());
            var user = JavaAs.user(NOBODY, NOBODY, copies);
            String foreign = user.run(Ordinary.class.getName(), "/" + parent.name(), cgroup.name())
                    .output();
            assertFalse(foreign.contains("granted"), foreign);
            assertTrue(foreign.contains("NOT_DELEGATED") && foreign.contains("Delegate=yes"), foreign);
            Path file = cgroup.directories().getFirst().resolve("cpu.pressure");
            Files.setAttribute(file, "unix:uid", NOBODY);
            String own = user.run(Ordinary.class.getName(), "/" + parent.name(), cgroup.name())
                    .output();
            String[] lines = own.split("\n");
            assertTrue(lines[0].startsWith("REFUSED") && lines[0].contains("multiple of 2 s"), own);
            if (lines[1].startsWith("REFUSED")) {
                Cgroups.skip(Need.RECENT_KERNEL, "before Linux 6.4 triggers need CAP_SYS_RESOURCE");
            }
            assertEquals("granted", lines[1], own);
        }
    }
}
