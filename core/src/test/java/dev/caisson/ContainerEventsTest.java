// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.cgroups.spec.Pressure;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.linux.Signal;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What is known of a container while it runs and after its end. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class ContainerEventsTest {
    private static Exit outOfMemory(OutOfMemory event) {
        return new Exit.Killed(Signal.SIGKILL, new Exit.OutOfMemory(event));
    }

    /** {@return all events of a stream, when it is complete} */
    private static <T> CompletableFuture<List<T>> all(Flow.Publisher<T> publisher) {
        var all = new CompletableFuture<List<T>>();
        publisher.subscribe(new Flow.Subscriber<T>() {
            private final List<T> events = new ArrayList<>();

            @Override
            public void onSubscribe(Flow.Subscription subscription) {
                subscription.request(Long.MAX_VALUE);
            }

            @Override
            public void onNext(T event) {
                events.add(event);
            }

            @Override
            public void onError(Throwable why) {
                all.completeExceptionally(why);
            }

            @Override
            public void onComplete() {
                all.complete(List.copyOf(events));
            }
        });
        return all;
    }

    private static boolean hasLog() {
        return Files.isReadable(Path.of("/dev/kmsg"));
    }

    @Test
    void whoDiesOfItsOwnLimitIsSaidTo() throws Exception {
        try (var container = overHost().memoryMax(32, MB).start("tail", "/dev/zero")) {
            var events = all(container.events());
            var exit = container.waitFor();
            var cause = container.outOfMemory().orElseThrow();
            assertEquals(outOfMemory(cause), exit);
            assertEquals(OutOfMemory.Scope.OWN, cause.scope());
            assertEquals(MB.toBytes(32), cause.limitBytes().orElseThrow());
            assertTrue(cause.level().orElseThrow().startsWith("/caisson-"), cause.toString());
            if (hasLog()) {
                assertEquals(List.of(new OutOfMemory.Victim(container.pid(), Optional.of("tail"))), cause.victims());
            }
            var kill = events.get(30, TimeUnit.SECONDS).stream()
                    .filter(CgroupEvent.OutOfMemoryKill.class::isInstance)
                    .findFirst();
            assertEquals(new CgroupEvent.OutOfMemoryKill(1, cause), kill.orElseThrow());
        }
    }

    @Test
    void whatIsCapturedTellsItToo() throws Exception {
        var output = overHost().memoryMax(32, MB).capture("tail", "/dev/zero");
        assertEquals(outOfMemory(output.outOfMemory().orElseThrow()), output.exit());
        assertEquals(OutOfMemory.Scope.OWN, output.outOfMemory().orElseThrow().scope());
        var failed = assertThrows(ExitException.class, output::orThrow);
        assertTrue(failed.getMessage().contains("its own limit of 33554432 bytes"), failed.getMessage());
        assertEquals(
                Optional.empty(), overHost().memoryMax(32, MB).capture("true").outOfMemory());
    }

    @Test
    void theLimitOfTheParentIsNamed() throws Exception {
        var mounts = CgroupMounts.ofThisProcess();
        try (var parent =
                Cgroup.builder().limits(Limits.none().memoryMax(24, MB)).create()) {
            var output = overHost()
                    .cgroupParent("/" + parent.name())
                    .memoryMax(512, MB)
                    .capture("tail", "/dev/zero");
            var cause = output.outOfMemory().orElseThrow();
            assertEquals(outOfMemory(cause), output.exit());
            assertEquals(OutOfMemory.Scope.ABOVE, cause.scope());
            assertEquals("/" + parent.name(), cause.level().orElseThrow());
            assertEquals(MB.toBytes(24), cause.limitBytes().orElseThrow());
        }
    }

    @Test
    void aChildMayBeTheVictimAndTheContainerGoesOn() throws Exception {
        try (var container =
                overHost().memoryMax(32, MB).start("sh", "-c", "tail /dev/zero; echo alive; exec sleep 1000")) {
            try (var said = container.stdout()) {
                assertEquals("alive", new String(said.readNBytes(5), java.nio.charset.StandardCharsets.UTF_8));
            }
            assertEquals(1, container.outOfMemory().orElseThrow().kills());
            assertTrue(container.isAlive());
            var events = all(container.events());
            if (hasLog()) {
                // The log tells that it was not the command, which somebody else kills now.
                container.signal(Signal.SIGKILL);
                assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Cause.SIGNAL), container.waitFor());
            }
            container.stop(Duration.ZERO);
            assertTrue(
                    events.get(30, TimeUnit.SECONDS).stream().anyMatch(CgroupEvent.OutOfMemoryKill.class::isInstance));
        }
    }

    @Test
    void itsUsageIsKnownAfterItsEnd() throws Exception {
        try (var container = overHost()
                .memoryMax(64, MB)
                .pidsMax(20)
                .start("sh", "-c", "head -c 9000000 /dev/zero | tail -c 8000000 >/dev/null")) {
            var _ = container.waitFor();
            var usage = container.usage();
            assertTrue(usage.cpuTime().orElseThrow().compareTo(Duration.ZERO) > 0, usage.toString());
            assertTrue(usage.memoryPeakBytes().orElse(1) > 0, usage.toString());
            assertEquals(0, usage.pids().orElseThrow().current());
        }
        try (var container = overHost().start("true")) {
            assertEquals(Usage.none(), container.usage());
        }
    }

    @Test
    void theStreamIsCompleteWhenItHasEnded() throws Exception {
        try (var container = overHost().pidsMax(20).start("sleep", "1000")) {
            var during = all(container.events());
            container.stop(Duration.ofSeconds(1));
            var _ = during.get(30, TimeUnit.SECONDS);
            assertEquals(List.of(), all(container.events()).get(30, TimeUnit.SECONDS));
        }
    }

    @Test
    void pressureOfAContainerIsTold() throws Exception {
        Need.PSI.orSkip(
                CgroupMounts.ofThisProcess().unified().isPresent() && Files.isDirectory(Path.of("/proc/pressure")),
                "pressure needs version 2 and psi=1");
        int crowd = Runtime.getRuntime().availableProcessors() + 1;
        try (var container = overHost()
                .limits(Limits.none())
                .start(
                        "sh",
                        "-c",
                        "i=0; while [ $i -lt " + crowd + " ]; do (while :; do :; done) & i=$((i+1)); done; wait")) {
            var told = new CompletableFuture<Pressure.Event>();
            container
                    .pressure(Pressure.cpu().some(Duration.ofMillis(50), Duration.ofSeconds(2)))
                    .subscribe(new Flow.Subscriber<Pressure.Event>() {
                        @Override
                        public void onSubscribe(Flow.Subscription subscription) {
                            subscription.request(1);
                        }

                        @Override
                        public void onNext(Pressure.Event event) {
                            told.complete(event);
                        }

                        @Override
                        public void onError(Throwable why) {
                            told.completeExceptionally(why);
                        }

                        @Override
                        public void onComplete() {
                            told.completeExceptionally(new IllegalStateException("complete"));
                        }
                    });
            assertTrue(told.get(30, TimeUnit.SECONDS).now().some().isPresent());
        }
    }

    @Test
    void withoutACgroupOfItsOwnThereIsNothingToTell() throws Exception {
        try (var container = overHost().start("sleep", "1000")) {
            var trigger = Pressure.cpu().some(Duration.ofMillis(50), Duration.ofSeconds(2));
            for (var refused : List.of(
                    assertThrows(IllegalStateException.class, container::events),
                    assertThrows(IllegalStateException.class, () -> container.pressure(trigger)))) {
                assertTrue(refused.getMessage().contains("limits(Limits.none())"), refused.getMessage());
            }
            assertEquals(Optional.empty(), container.outOfMemory());
        }
    }
}
