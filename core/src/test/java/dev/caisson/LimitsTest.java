// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Containers.overHost;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Signal;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@NeedsRoot
@ExtendWith(NoLeaks.class)
class LimitsTest {
    @Test
    void whoTakesTooMuchMemoryDiesOfIt() throws Exception {
        // A shell variable of 200 MB: the command itself is the victim.
        var exit = overHost().memoryMax(32, MB).run("tail", "/dev/zero");
        assertEquals(new Exit.Killed(Signal.SIGKILL, Exit.Reason.OUT_OF_MEMORY), exit);
    }

    @Test
    void aLimitTooSmallToStartDoesNotHurtTheJvm() {
        for (int i = 0; i < 5; i++) {
            try {
                var _ = overHost().memoryMax(4096, dev.caisson.linux.ByteUnit.B).run("true");
            } catch (Exception refused) {
                assertTrue(refused instanceof ContainerException, refused.toString());
            }
        }
    }

    @Test
    void thereAreNoMoreProcessesThanAllowed() throws Exception {
        var output = overHost()
                .pidsMax(5)
                .capture("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done 2>/dev/null; wait; echo end");
        assertTrue(output.errorText().contains("fork") || !output.exit().isSuccess(), output.toString());
    }

    @Test
    void usageIsCounted() throws Exception {
        try (var container = overHost().memoryMax(64, MB).pidsMax(10).start("sh", "-c", "echo ready; sleep 100")) {
            assertEquals('r', container.stdout().read());
            var usage = container.usage();
            assertTrue(usage.memoryBytes().orElseThrow() > 0);
            assertTrue(usage.pids().orElseThrow() >= 1);
        }
    }
}
