// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import static dev.caisson.cgroups.Cgroups.shell;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.Cgroups.View;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.testkit.NeedsRoot;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the flight recorder gets of limits that were met. */
@NeedsRoot
class FlightEventsTest {
    @TempDir
    Path directory;

    private Recording started() {
        var recording = new Recording();
        for (String event : List.of("LimitHit", "OutOfMemory", "Throttled")) {
            recording.enable("dev.caisson." + event);
        }
        recording.start();
        return recording;
    }

    private List<RecordedEvent> events(Recording recording, Cgroup cgroup) throws IOException {
        Path file = directory.resolve("recording.jfr");
        recording.stop();
        recording.dump(file);
        return RecordingFile.readAllEvents(file).stream()
                .filter(e -> e.getEventType().getName().startsWith("dev.caisson."))
                .filter(e -> e.getString("cgroup").equals(cgroup.name()))
                .toList();
    }

    private static RecordedEvent the(String name, List<RecordedEvent> events) {
        var found = events.stream()
                .filter(e -> e.getEventType().getName().equals("dev.caisson." + name))
                .toList();
        assertEquals(1, found.size(), events.toString());
        return found.getFirst();
    }

    private static Cgroup exhausted() throws Exception {
        var cgroup = Cgroup.builder(View.ALL.with("memory"))
                .limits(Limits.none().memoryMax(16, MB))
                .create();
        try {
            assertTrue(shell(cgroup, "exec tail /dev/zero").waitFor(60, TimeUnit.SECONDS));
            return cgroup;
        } catch (Exception | Error failed) {
            cgroup.close();
            throw failed;
        }
    }

    private static void assertKill(RecordedEvent event) {
        assertEquals(1, event.getLong("kills"));
        assertEquals("OWN", event.getString("scope"));
        assertEquals(MB.toBytes(16), event.getLong("limitBytes"));
    }

    @Test
    void aKillIsRecordedWhileItRuns() throws Exception {
        try (var recording = started();
                var cgroup = exhausted()) {
            var told = Recorder.of(cgroup.events());
            told.await(dev.caisson.cgroups.spec.CgroupEvent.OutOfMemoryKill.class);
            Thread.sleep(3000); // The recorder has a subscription of its own.
            assertKill(the("OutOfMemory", events(recording, cgroup)));
        }
    }

    @Test
    void aKillIsRecordedAtTheEndIfNobodyRecordedBefore() throws Exception {
        var cgroup = exhausted();
        try (var recording = started()) {
            cgroup.close();
            var events = events(recording, cgroup);
            assertKill(the("OutOfMemory", events));
            var hit = the("LimitHit", events);
            assertEquals("memoryMax", hit.getString("limit"));
            assertTrue(hit.getLong("times") > 0);
        } finally {
            cgroup.close();
        }
    }

    @Test
    void throttlingIsRecorded() throws Exception {
        var cgroup = Cgroup.builder(View.ALL.with("cpu"))
                .limits(Limits.none().cpuMax(Duration.ofMillis(2), Duration.ofMillis(20)))
                .create();
        try {
            shell(cgroup, "while :; do :; done");
            while (cgroup.usage().throttling().orElseThrow().throttledPeriods() < 3) {
                Thread.sleep(20);
            }
            try (var recording = started()) {
                cgroup.close();
                var throttled = the("Throttled", events(recording, cgroup));
                assertTrue(throttled.getLong("periods") >= 3);
                assertTrue(throttled.getDuration("time").toMillis() >= 10, throttled.toString());
            }
        } finally {
            cgroup.close();
        }
    }
}
