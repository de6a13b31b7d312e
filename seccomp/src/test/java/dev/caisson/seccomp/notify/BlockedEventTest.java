// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.notify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Native;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Seccomp;
import java.nio.file.Path;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Flight Recorder hears of refused calls. It keeps descriptors of its own, so this is apart from {@link ReportingTest}. */
class BlockedEventTest {
    @Test
    void flightRecorderGetsAnEvent(@TempDir Path directory) throws Exception {
        var policy = Seccomp.otherwise(Action.allow())
                .fail(Errno.EXDEV, Syscall.GETPPID)
                .reporting(_ -> {});
        var file = directory.resolve("blocked.jfr");
        try (var recording = new Recording()) {
            recording.enable("dev.caisson.CallBlocked");
            recording.start();
            try (var thread = new SupervisedThread(policy)) {
                assertEquals(-18, (long) thread.run(() -> Native.call(Syscall.GETPPID, 0)));
            }
            recording.stop();
            recording.dump(file);
        }
        var events = RecordingFile.readAllEvents(file).stream()
                .filter(e -> e.getEventType().getName().equals("dev.caisson.CallBlocked"))
                .toList();
        assertEquals(1, events.size());
        assertEquals("getppid", events.getFirst().getString("call"));
        assertEquals("fail with EXDEV", events.getFirst().getString("action"));
        assertTrue(events.getFirst().getInt("caller") > 0);
    }
}
