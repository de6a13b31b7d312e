// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Signal;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Timeouts and waits, of any length and under any load. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class TimeTest {
    @ParameterizedTest
    @ValueSource(strings = {"PT2629800H", "PT2562047788015215H30M7S", "PT2562047H47M16.854775807S"})
    void aTimeoutBeyondAllTimeIsNone(String timeout) throws Exception {
        assertEquals(
                new Exit.Exited(0), overHost().timeout(Duration.parse(timeout)).run("true"));
    }

    @Test
    void aTimeoutBeyondAllTimeDelaysNoOther() throws Exception {
        try (var _ = overHost().timeout(Duration.ofNanos(Long.MAX_VALUE)).start("sleep", "100")) {
            assertEquals(
                    new Exit.Killed(Signal.SIGKILL, Exit.Cause.TIMEOUT),
                    overHost().timeout(Duration.ofMillis(100)).run("sleep", "100"));
        }
    }

    @Test
    void waitsAndGracesMayBeOfAnyLength() throws Exception {
        try (var container = overHost().start("cat")) {
            assertEquals(Optional.empty(), container.waitFor(Duration.ofSeconds(Long.MIN_VALUE)));
            container.stdin().close();
            assertEquals(Optional.of(new Exit.Exited(0)), container.waitFor(Duration.ofSeconds(Long.MAX_VALUE)));
        }
        try (var container = overHost().init().start("sleep", "100")) {
            assertEquals(
                    new Exit.Killed(Signal.SIGTERM, Exit.Cause.STOPPED),
                    container.stop(Duration.ofSeconds(Long.MAX_VALUE)));
        }
    }

    @Test
    void busyVirtualThreadsDelayNoTimeout() throws Exception {
        var jvm = JavaAs.oneself()
                .with("-Djdk.virtualThreadScheduler.parallelism=1", "-Djdk.virtualThreadScheduler.maxPoolSize=1")
                .run(BusyCarriers.class.getName());
        assertEquals(0, jvm.code(), jvm.output());
        assertTrue(jvm.output().contains("limited: Killed[signal=SIGKILL, reason=TIMEOUT] in time"), jvm.output());
        assertTrue(jvm.output().contains("plain: Killed[signal=SIGKILL, reason=TIMEOUT] in time"), jvm.output());
        assertTrue(jvm.output().contains("used up: Killed[signal=SIGKILL, reason=CPU_TIME] in time"), jvm.output());
        assertTrue(jvm.output().contains("onExit in time"), jvm.output());
    }
}
