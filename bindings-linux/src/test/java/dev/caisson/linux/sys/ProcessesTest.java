// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.Encoder;
import dev.caisson.linux.child.Launch;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.OnError;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(NoLeaks.class)
class ProcessesTest {
    private static Outcome.Child sh(String script) throws IOException {
        var program = SyscallProgram.builder()
                .phase("test")
                .execute(
                        OnError.fail(),
                        Syscall.EXECVE,
                        Arg.text("/bin/sh"),
                        Arg.argv(List.of("sh", "-c", script)),
                        Arg.envp(List.of("PATH=/usr/bin:/bin")))
                .build();
        try (var launcher = new Launcher()) {
            return assertInstanceOf(
                    Outcome.Child.class,
                    launcher.launch(Launch.direct(Encoder.encode(program, Arch.host()), 0, Map.of())));
        }
    }

    @Test
    void anEndIsToldOnce() throws Exception {
        try (var child = sh("exit 5").pidfd()) {
            assertEquals(OptionalInt.of(5), Processes.reap(child).exitCode());
            assertEquals(
                    Errno.ECHILD,
                    assertThrows(LinuxException.class, () -> Processes.reap(child))
                            .errno());
        }
    }

    @Test
    void whoStillRunsHasNoStatus() throws Exception {
        try (var child = sh("exec sleep 100").pidfd()) {
            assertEquals(Optional.empty(), Processes.poll(child));
            assertFalse(Processes.awaitEnd(child, TimeUnit.MILLISECONDS.toNanos(1)));
            assertTrue(Processes.signal(child, Signal.SIGKILL));
            assertTrue(Processes.awaitEnd(child, TimeUnit.SECONDS.toNanos(10)));
            var status = Processes.poll(child).orElseThrow();
            assertEquals(OptionalInt.of(Signal.SIGKILL.number()), status.signal());
            assertEquals("killed by SIGKILL", status.toString());
            assertFalse(Processes.signal(child, Signal.SIGKILL));
        }
    }

    /** Each figure comes from its own place of struct rusage; a wrong one would be none of these. */
    @Test
    void whatAProcessUsedIsCounted() throws Exception {
        try (var child = sh("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 0.01; sleep 0.01; :")
                .pidfd()) {
            var status = Processes.reap(child);
            assertTrue(status.userTime().toMillis() >= 10, status::toString);
            assertTrue(status.userTime().toSeconds() < 60, status::toString);
            assertTrue(status.systemTime().toSeconds() < 60, status::toString);
            long resident = status.maxResidentBytes();
            assertTrue(resident > 500_000 && resident < 1L << 36, "resident " + resident);
            assertTrue(status.voluntarySwitches() >= 2 && status.voluntarySwitches() < 10_000, status::toString);
            assertTrue(status.involuntarySwitches() < 1_000_000, status::toString);
        }
    }

    @Test
    void aChildWithoutADescriptorCanBeKilledByItsPid() throws Exception {
        var child = sh("exec sleep 100");
        child.pidfd().close();
        Processes.killAndReap(child.pid());
        assertThrows(LinuxException.class, () -> Processes.killAndReap(child.pid()));
    }

    @Test
    void aPidThatIsNobodysIsRefused() {
        var refused = assertThrows(LinuxException.class, () -> Processes.open(0x7fff_fff0));
        assertEquals(Errno.ESRCH, refused.errno());
    }
}
