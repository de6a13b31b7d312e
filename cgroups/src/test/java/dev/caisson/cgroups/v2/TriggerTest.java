// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.spec.Pressure;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class TriggerTest {
    private static final Pressure MEMORY = Pressure.memory().some(Duration.ofMillis(150), Duration.ofSeconds(1));
    private static final Pressure IRQ = Pressure.irq().full(Duration.ofMillis(150), Duration.ofSeconds(2));

    private static CgroupException explained(Pressure pressure, Errno errno, boolean counted) {
        return Trigger.explained(pressure, new LinuxException(errno, "write(...)"), true, counted);
    }

    @Test
    void aTriggerIsWrittenInMicroseconds() {
        assertEquals("some 150000 1000000", MEMORY.toString());
        assertEquals("full 150000 2000000", IRQ.toString());
        assertEquals("memory.pressure", MEMORY.resource().file());
    }

    @Test
    void whatTheKernelWouldNotTakeIsRefusedAtOnce() {
        var second = Duration.ofSeconds(1);
        var memory = Pressure.memory();
        for (var window : new Duration[] {Duration.ofMillis(499), Duration.ofMillis(10_001), second.negated()}) {
            var refused = assertThrows(IllegalArgumentException.class, () -> memory.some(Duration.ofMillis(1), window));
            assertTrue(refused.getMessage().contains("500 ms to 10 s"), refused.getMessage());
        }
        for (var stall : new Duration[] {Duration.ZERO, Duration.ofMillis(-1), Duration.ofMillis(1001)}) {
            assertThrows(IllegalArgumentException.class, () -> memory.full(stall, second));
        }
        assertThrows(IllegalArgumentException.class, () -> Pressure.irq().some(Duration.ofMillis(1), second));
    }

    @Test
    void eachRefusalHasItsCauseAndRemedy() {
        var noPsi = explained(MEMORY, Errno.ENOENT, false);
        assertEquals(Reason.MISSING_FILE, noPsi.reason());
        assertTrue(noPsi.getMessage().contains("psi=1"), noPsi.getMessage());
        var disabled = explained(MEMORY, Errno.EOPNOTSUPP, false);
        assertEquals(Reason.MISSING_FILE, disabled.reason());
        var irq = explained(IRQ, Errno.ENOENT, true);
        assertTrue(irq.getMessage().contains("IRQ_TIME_ACCOUNTING"), irq.getMessage());
        var foreign = explained(MEMORY, Errno.EPERM, true);
        assertEquals(Reason.NOT_DELEGATED, foreign.reason());
        var window = explained(MEMORY, Errno.EINVAL, true);
        assertEquals(Reason.REFUSED, window.reason());
        assertTrue(window.getMessage().contains("multiple of 2 s"), window.getMessage());
        var vanished = explained(MEMORY, Errno.ENODEV, true);
        assertEquals(Reason.VANISHED, vanished.reason());
    }
}
