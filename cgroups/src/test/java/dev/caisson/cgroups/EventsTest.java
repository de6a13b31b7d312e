// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import static dev.caisson.cgroups.Cgroups.shell;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.Cgroups.View;
import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.linux.sys.Poller;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Flow;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the real kernel tells of real cgroups. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class EventsTest {
    private static Cgroup with(String controller, Limits limits) throws IOException {
        return Cgroup.builder(View.ALL.with(controller)).limits(limits).create();
    }

    private static Cgroup inVersion2(Limits limits) throws IOException {
        return Cgroup.builder(View.VERSION_2.mounts()).limits(limits).create();
    }

    /** Descriptors of control files and eventfds, at which NoLeaks does not look. */
    private static long descriptors() throws IOException {
        var _ = Poller.shared(); // It has one of its own.
        long count = 0;
        try (var list = Files.list(Path.of("/proc/self/fd"))) {
            for (Path fd : list.toList()) {
                try {
                    String target = Files.readSymbolicLink(fd).toString();
                    count += target.contains("[eventfd]") || target.contains("/caisson-") ? 1 : 0;
                } catch (NoSuchFileException closed) {
                    // It was the descriptor of the listing.
                }
            }
        }
        return count;
    }

    @Test
    void comingAndGoingAndStandingStillAreTold() throws Exception {
        try (var cgroup = inVersion2(Limits.none())) {
            var events = Recorder.of(cgroup.events());
            var process = shell(cgroup, "exec sleep 100");
            assertTrue(events.await(CgroupEvent.Populated.class).populated());
            cgroup.freeze();
            assertTrue(events.await(CgroupEvent.Frozen.class).frozen());
            cgroup.thaw();
            events.await(CgroupEvent.Frozen.class, e -> !e.frozen());
            process.destroyForcibly();
            events.await(CgroupEvent.Populated.class, e -> !e.populated());
            assertEquals(
                    List.of(
                            new CgroupEvent.Populated(true),
                            new CgroupEvent.Frozen(true),
                            new CgroupEvent.Frozen(false),
                            new CgroupEvent.Populated(false)),
                    events.events());
            assertEquals(List.of("virtual", "virtual", "virtual", "virtual"), events.threads());
        }
    }

    @Test
    void aKillIsToldWithItsVictimAndTheOthersGoOn() throws Exception {
        try (var cgroup = with("memory", Limits.none().memoryMax(16, MB))) {
            var events = Recorder.of(cgroup.events());
            // The shell waits for its child, and goes on.
            var process = shell(cgroup, "tail /dev/zero; echo $?; exec sleep 100");
            var kill = events.await(CgroupEvent.OutOfMemoryKill.class);
            assertEquals(1, kill.kills());
            assertEquals(OutOfMemory.Scope.OWN, kill.cause().scope());
            assertEquals("/" + cgroup.name(), kill.cause().level().orElseThrow());
            assertEquals(MB.toBytes(16), kill.cause().limitBytes().orElseThrow());
            if (Files.isReadable(Path.of("/dev/kmsg"))) {
                var victim = kill.cause().victims().getFirst();
                assertEquals("tail", victim.name().orElseThrow());
                assertTrue(victim.pid() != process.pid(), kill.toString());
            }
            try (var said = process.inputReader()) {
                String line = said.readLine();
                assertTrue(
                        line.equals("137") || said.readLine().equals("137"), line); // Some shells say "Killed" before.
            }
            assertTrue(process.isAlive());
        }
    }

    @Test
    void wholeGroupsAreKilledTogether() throws Exception {
        var mounts = View.ALL.with("memory");
        if (!mounts.isUnified("memory")) {
            Need.doesNotApply("version 1 has no memory.oom.group");
        }
        var limits = Limits.none().memoryMax(32, MB).with(new Limit.OomGroup(true));
        try (var cgroup = Cgroup.builder(mounts).limits(limits).create()) {
            var events = Recorder.of(cgroup.events());
            var process = shell(cgroup, "sleep 1000 & exec tail /dev/zero");
            assertTrue(process.waitFor(60, TimeUnit.SECONDS));
            events.await(CgroupEvent.Populated.class, e -> !e.populated());
            var cause = cgroup.outOfMemory().orElseThrow();
            assertTrue(cause.kills() >= 2, cause.toString()); // The kernel may count the first victim twice.
            assertTrue(cause.victims().isEmpty() || cause.victims().size() == 2, cause.toString());
        }
    }

    @Test
    void limitsOfMemoryThatWereMetAreTold() throws Exception {
        var mounts = View.ALL.with("memory");
        if (!mounts.isUnified("memory")) {
            Need.doesNotApply("version 1 tells of no limit that was met");
        }
        try (var cgroup = Cgroup.builder(mounts)
                .limits(Limits.none().memoryHigh(8, MB).memoryMax(16, MB).swapMax(0, MB))
                .create()) {
            var events = Recorder.of(cgroup.events());
            shell(cgroup, "exec tail /dev/zero");
            assertTrue(events.await(CgroupEvent.MemoryHigh.class).times() > 0);
            // Whoever is above memory.high is slowed down so much that memory.max is far away.
            cgroup.update(Limits.none().memoryHigh(64, MB));
            assertTrue(events.await(CgroupEvent.MemoryMax.class).times() > 0);
        }
    }

    @Test
    void refusedForksAreTold() throws Exception {
        var mounts = View.ALL.with("pids");
        Recorder<CgroupEvent> events;
        try (var cgroup =
                Cgroup.builder(mounts).limits(Limits.none().pidsMax(2)).create()) {
            events = Recorder.of(cgroup.events());
            shell(cgroup, "sleep 100 & sleep 100 & sleep 100 & wait");
            while (cgroup.usage().pids().orElseThrow().maxEvents().orElse(0) == 0) {
                Thread.sleep(5);
            }
            if (mounts.isUnified("pids")) {
                events.await(CgroupEvent.PidsMax.class);
            }
        }
        // Since Linux 6.11 version 1 counts them and tells nobody, so that it is told at the end.
        assertTrue(events.await(CgroupEvent.PidsMax.class).times() > 0);
    }

    @Test
    void throttlingIsToldWhereThereIsPressure() throws Exception {
        var mounts = View.ALL.with("cpu");
        if (mounts.unified().isEmpty() || !Files.isDirectory(Path.of("/proc/pressure"))) {
            Cgroups.skip(Need.PSI, "only version 2 of a kernel with psi=1 tells of throttling");
        }
        var limits = Limits.none().cpuMax(Duration.ofMillis(4), Duration.ofMillis(20));
        try (var cgroup = Cgroup.builder(mounts).limits(limits).create()) {
            var events = Recorder.of(cgroup.events());
            shell(cgroup, "while :; do :; done");
            var throttled = events.await(CgroupEvent.Throttled.class);
            assertTrue(throttled.periods() > 0, throttled.toString());
            assertTrue(throttled.time().compareTo(Duration.ofMillis(10)) > 0, throttled.toString());
        }
    }

    @Test
    void whatHappenedBeforeTheSubscriptionIsToldToo() throws Exception {
        try (var cgroup = with("memory", Limits.none().memoryMax(16, MB))) {
            shell(cgroup, "exec tail /dev/zero").waitFor();
            var events = Recorder.of(cgroup.events());
            assertEquals(1, events.await(CgroupEvent.OutOfMemoryKill.class).kills());
            // Whoever opens it hears of what comes.
            var opened = Existing.open(View.ALL.mounts(), Optional.empty(), cgroup.name());
            var later = Recorder.of(opened.events());
            shell(cgroup, "exec tail /dev/zero").waitFor();
            assertEquals(1, later.await(CgroupEvent.OutOfMemoryKill.class).kills());
            later.subscription().cancel();
        }
    }

    @Test
    void closingCompletesTheStreamAfterTheLastEvents() throws Exception {
        long before = descriptors();
        Recorder<CgroupEvent> events;
        try (var cgroup = with("memory", Limits.none().memoryMax(16, MB))) {
            events = Recorder.of(cgroup.events());
            assertTrue(descriptors() > before);
            assertTrue(shell(cgroup, "exec tail /dev/zero").waitFor(60, TimeUnit.SECONDS));
        }
        assertEquals(before, descriptors());
        events.awaitEnd();
        assertTrue(events.isComplete());
        assertEquals(1, events.await(CgroupEvent.OutOfMemoryKill.class).kills());
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void whoSubscribesToAClosedCgroupGetsTheEndOnly(View view) throws Exception {
        var cgroup = Cgroup.builder(view.mounts()).create();
        cgroup.close();
        var events = Recorder.of(cgroup.events());
        events.awaitEnd();
        assertTrue(events.isComplete());
        assertEquals(List.of(), events.events());
    }

    @Test
    void cancellingClosesTheDescriptors() throws Exception {
        try (var cgroup = with("memory", Limits.none().memoryMax(16, MB))) {
            long before = descriptors();
            var events = Recorder.of(cgroup.events());
            assertTrue(descriptors() > before);
            events.subscription().cancel();
            assertEquals(before, descriptors());
            events.subscription().cancel();
            shell(cgroup, "exec tail /dev/zero").waitFor();
            Thread.sleep(50);
            assertFalse(events.isComplete());
            assertTrue(events.events().isEmpty(), events.events().toString());
        }
    }

    @Test
    void nothingComesUnaskedAndCountsAreAddedUp() throws Exception {
        try (var cgroup = with("memory", Limits.none().memoryMax(16, MB))) {
            var events = new Recorder<CgroupEvent>(0);
            cgroup.events().subscribe(events);
            for (int i = 1; i <= 3; i++) {
                shell(cgroup, "exec tail /dev/zero").waitFor();
                Thread.sleep(50);
            }
            assertEquals(List.of(), events.events());
            events.subscription().request(1);
            events.awaitThat(() -> events.events().size() == 1);
            events.subscription().request(10);
            assertEquals(3, events.await(CgroupEvent.OutOfMemoryKill.class).kills());
            var kinds = events.events().stream().map(Object::getClass).toList();
            assertEquals(kinds.stream().distinct().toList(), kinds);
        }
    }

    @Test
    void aSlowSubscriberHoldsUpNobody() throws Exception {
        try (var cgroup = with("memory", Limits.none().memoryMax(16, MB));
                var other = with("memory", Limits.none().memoryMax(16, MB))) {
            var started = new Semaphore(0);
            var go = new Semaphore(0);
            var slow = new Flow.Subscriber<CgroupEvent>() {
                @Override
                public void onSubscribe(Flow.Subscription subscription) {
                    subscription.request(Long.MAX_VALUE);
                }

                @Override
                public void onNext(CgroupEvent event) {
                    started.release();
                    go.acquireUninterruptibly();
                }

                @Override
                public void onError(Throwable why) {}

                @Override
                public void onComplete() {}
            };
            cgroup.events().subscribe(slow);
            var quick = Recorder.of(other.events());
            shell(cgroup, "exec tail /dev/zero").waitFor();
            started.acquire();
            shell(other, "exec tail /dev/zero").waitFor();
            quick.await(CgroupEvent.OutOfMemoryKill.class);
            assertEquals(1, go.getQueueLength());
            go.release(100);
        }
    }

    @Test
    void askingForTooFewIsAnError() throws Exception {
        try (var cgroup = Cgroup.builder(View.ALL.mounts()).create()) {
            var events = new Recorder<CgroupEvent>(0);
            cgroup.events().subscribe(events);
            events.subscription().request(0);
            events.awaitEnd();
            assertInstanceOf(IllegalArgumentException.class, events.failure());
        }
    }

    @Test
    void aSubscriberThatThrowsHurtsNobodyElse() throws Exception {
        try (var cgroup = inVersion2(Limits.none())) {
            long before = descriptors();
            var thrown = new CopyOnWriteArrayList<Throwable>();
            var handler = Thread.getDefaultUncaughtExceptionHandler();
            Thread.setDefaultUncaughtExceptionHandler((_, bug) -> thrown.add(bug));
            try {
                cgroup.events().subscribe(new Throwing());
                shell(cgroup, "exec sleep 100");
                for (int i = 0; i < 250 && (thrown.isEmpty() || descriptors() > before); i++) {
                    Thread.sleep(20);
                }
                assertEquals("a bug of the subscriber's", thrown.getFirst().getMessage());
            } finally {
                Thread.setDefaultUncaughtExceptionHandler(handler);
            }
            assertEquals(before, descriptors());
        }
    }

    private static final class Throwing implements Flow.Subscriber<CgroupEvent> {
        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            subscription.request(1);
        }

        @Override
        public void onNext(CgroupEvent event) {
            throw new IllegalStateException("a bug of the subscriber's");
        }

        @Override
        public void onError(Throwable why) {}

        @Override
        public void onComplete() {}
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void aVanishedCgroupIsSaidToBeOne(View view) throws Exception {
        try (var cgroup = Cgroup.builder(view.mounts()).create()) {
            for (Path directory : cgroup.directories()) {
                Files.delete(directory);
            }
            var events = Recorder.of(cgroup.events());
            events.awaitEnd();
            assertEquals(
                    CgroupException.Reason.VANISHED,
                    assertInstanceOf(CgroupException.class, events.failure()).reason());
        }
    }

    @Test
    void memoryOfVersion1ThatVanishesEndsTheStream() throws Exception {
        var mounts = View.VERSION_1.with("memory");
        try (var cgroup =
                Cgroup.builder(mounts).limits(Limits.none().memoryMax(16, MB)).create()) {
            var events = Recorder.of(cgroup.events());
            Files.delete(cgroup.directory("memory").orElseThrow());
            events.awaitEnd();
            assertEquals(
                    CgroupException.Reason.VANISHED,
                    assertInstanceOf(CgroupException.class, events.failure()).reason());
        }
    }

    @Test
    void aThousandCgroupsAreWatchedByOneThread() throws Exception {
        int many = 1000;
        var mounts = View.VERSION_2.mounts();
        var cgroups = new ArrayList<Cgroup>(many);
        try {
            var recorders = new ArrayList<Recorder<CgroupEvent>>(many);
            long before = descriptors();
            for (int i = 0; i < many; i++) {
                var cgroup = Cgroup.builder(mounts).create();
                cgroups.add(cgroup);
                recorders.add(Recorder.of(cgroup.events()));
            }
            // cgroup.events, and where their controllers come down to here, memory.events and pids.events.
            long each = (descriptors() - before) / many;
            assertTrue(each >= 1 && each <= 3, each + " descriptors each");
            for (var cgroup : cgroups) {
                cgroup.freeze();
            }
            for (var recorder : recorders) {
                assertTrue(recorder.await(CgroupEvent.Frozen.class).frozen());
            }
            var ours = Thread.getAllStackTraces().keySet().stream()
                    .filter(t -> !t.isVirtual() && t.getName().startsWith("caisson"))
                    .map(Thread::getName)
                    .sorted()
                    .toList();
            // The hand is there beforehand, for ends and timeouts of containers; events have no work for it.
            assertEquals(List.of("caisson-hand-0", "caisson-poller"), ours);
        } finally {
            for (var cgroup : cgroups) {
                cgroup.close();
            }
        }
    }

    @Test
    void withoutASubscriberThereIsNoStream() throws Exception {
        try (var cgroup = Cgroup.builder(View.ALL.mounts()).create()) {
            var publisher = cgroup.events();
            assertThrows(NullPointerException.class, () -> publisher.subscribe(null));
            assertNull(Recorder.of(publisher).failure());
        }
    }
}
