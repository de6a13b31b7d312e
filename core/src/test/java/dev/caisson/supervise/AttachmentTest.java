// SPDX-License-Identifier: Apache-2.0
package dev.caisson.supervise;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.Container;
import dev.caisson.Containers;
import dev.caisson.linux.Signal;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Processes;
import dev.caisson.testkit.NeedsRoot;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A supervisor that somebody has stopped: whoever talks to it is told so, and does not wait for ever. */
@NeedsRoot
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AttachmentTest {
    @TempDir
    Path directory;

    @Test
    void whoTalksToAStoppedSupervisorDoesNotWaitForEver() throws Exception {
        System.setProperty(StateDirectory.PROPERTY, directory.resolve("state").toString());
        try (var container =
                Container.builder().lower(Path.of("/")).name("deaf").detached().start("/bin/sleep", "600")) {
            var attachment = new Attachment(directory.resolve("state/deaf"));
            var connections = new ArrayList<Fd>();
            var status = StateDirectory.status(directory.resolve("state/deaf")).orElseThrow();
            try (var supervisor = Processes.open(status.supervisor())) {
                var _ = Processes.signal(supervisor, Signal.SIGSTOP);
                try {
                    connections.add(attachment.connect().orElseThrow());
                    for (int i = 0; i < 2000; i++) {
                        assertTrue(Attachment.send(connections.getFirst(), Attachment.Operation.FOLLOW, 0));
                    }
                    var refused = assertThrows(IOException.class, () -> {
                        for (int i = 0; i < 200; i++) {
                            connections.add(attachment.connect().orElseThrow());
                        }
                    });
                    assertTrue(String.valueOf(refused.getMessage()).contains("does not answer"), refused.getMessage());
                } finally {
                    connections.forEach(Fd::close);
                    var _ = Processes.signal(supervisor, Signal.SIGCONT);
                }
            }
            var _ = container.stop(Duration.ZERO);
            assertTrue(Containers.remove("deaf"));
        } finally {
            System.clearProperty(StateDirectory.PROPERTY);
        }
    }
}
