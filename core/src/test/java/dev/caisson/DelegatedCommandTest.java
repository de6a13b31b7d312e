// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.spec.Limits;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Commands in containers whose root divides the container's cgroup. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class DelegatedCommandTest {
    private static ContainerBuilder delegated() {
        return overHost().newUser().limits(Limits.none()).delegateCgroup();
    }

    /** Root inside owns cgroup.procs of the container's cgroup, which is above those of commands. */
    @Test
    void aCommandOfADelegatedContainerLeavesNothingThatMovedOutOfItsCgroup() throws Exception {
        for (boolean timeout : new boolean[] {false, true}) {
            try (var container = delegated().start("/bin/sh", "-c", "mkdir /sys/fs/cgroup/mine; echo; sleep 1000")) {
                assertEquals('\n', container.stdout().read());
                var command = container.command(
                        "/bin/sh",
                        "-c",
                        "sleep 7777 </dev/null >/dev/null 2>&1 & echo $! > /sys/fs/cgroup/mine/cgroup.procs;"
                                + (timeout ? "wait" : ""));
                var _ = (timeout ? command.timeout(Duration.ofMillis(300)) : command).run();
                assertEquals(
                        "",
                        container
                                .command("/bin/sh", "-c", "grep -al '^sleep.7777' /proc/[0-9]*/cmdline; true")
                                .capture()
                                .text());
            }
        }
    }

    @Test
    void aCommandOfADelegatedContainerHasNoLimitsOfItsOwnSinceItCouldLeaveThem() throws Exception {
        try (var container = delegated().start("/bin/sleep", "1000")) {
            var command = container.command("/bin/true");
            for (var limited : List.of(command.cpuTimeMax(Duration.ofSeconds(1)), command.memoryMax(64, MB))) {
                var refused = assertThrows(IllegalStateException.class, limited::run);
                assertTrue(refused.getMessage().contains("limit the container"), refused.getMessage());
            }
        }
    }

    @Test
    void aDelegatedContainerCannotTakeTheNamesOfItsCommandsCgroups() throws Exception {
        String names = "for i in 1 2 3 4 5; do mkdir /sys/fs/cgroup/command-"
                + ProcessHandle.current().pid() + "-$i; done; echo; sleep 1000";
        try (var container = delegated().start("/bin/sh", "-c", names)) {
            assertEquals('\n', container.stdout().read());
            assertTrue(container.command("/bin/true").run().isSuccess());
        }
    }
}
