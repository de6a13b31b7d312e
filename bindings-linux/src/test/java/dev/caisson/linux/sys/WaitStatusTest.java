// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.OptionalInt;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** The status word of wait4(2): code in bits 8 to 15, signal in bits 0 to 6, bit 7 for a core dump. */
class WaitStatusTest {
    private static final WaitStatus USED = new WaitStatus(
            OptionalInt.of(0), OptionalInt.empty(), false, Duration.ofMillis(5), Duration.ofMillis(6), 7, 8, 9, 10);

    @Property
    void anExitCodeIsReadFromTheWord(@ForAll @IntRange(max = 255) int code) {
        var status = USED.withWaitWord(code << 8);
        assertEquals(OptionalInt.of(code), status.exitCode());
        assertEquals(OptionalInt.empty(), status.signal());
        assertEquals("exited with " + code, status.toString());
    }

    @Property
    void aSignalIsReadFromTheWord(@ForAll @IntRange(min = 1, max = 64) int signal, @ForAll boolean dumped) {
        var status = USED.withWaitWord(signal | (dumped ? 0x80 : 0));
        assertEquals(OptionalInt.of(signal), status.signal());
        assertEquals(OptionalInt.empty(), status.exitCode());
        assertEquals(dumped, status.coreDumped());
    }

    @Example
    void whatWasUsedStays() {
        var status = USED.withWaitWord(9);
        assertEquals("killed by SIGKILL", status.toString());
        assertEquals(Duration.ofMillis(5), status.userTime());
        assertEquals(7, status.maxResidentBytes());
        assertEquals(10, status.involuntarySwitches());
    }
}
