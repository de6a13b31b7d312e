// SPDX-License-Identifier: Apache-2.0
package dev.caisson.supervise;

import dev.caisson.linux.Signal;
import dev.caisson.linux.sys.WaitStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What the supervisor recorded last, in the file {@code status} of the container's directory, as status.c writes it.
 *
 * @param supervisor its pid
 * @param pid of the command, or of the init before it
 * @param startTicks when that began, in clock ticks since the boot
 * @param endedAt the epoch while it runs
 * @param end how it ended last
 */
public record Status(
        State state,
        int supervisor,
        int pid,
        long startTicks,
        Instant startedAt,
        Instant endedAt,
        Cause cause,
        int restarts,
        long oomKills,
        long droppedBytes,
        WaitStatus end) {
    static final String FILE = "status";

    private static final String KIND = "caisson-status";
    private static final int VERSION = 1;
    private static final long NANOS = 1_000_000_000;

    /** In the order of {@code enum state} of shim.h. */
    public enum State {
        CREATED,
        RUNNING,
        RESTARTING,
        EXITED
    }

    /** Why it ended, in the order of {@code enum cause} of shim.h. */
    public enum Cause {
        ITSELF,
        STOPPED,
        TIMEOUT
    }

    static Optional<Status> parse(byte[] text) {
        return Lines.parse(text, KIND, VERSION).map(Status::of);
    }

    private static Status of(Lines lines) {
        return new Status(
                State.values()[Math.clamp(lines.number("state"), 0, State.values().length - 1)],
                (int) lines.number("supervisor"),
                (int) lines.number("pid"),
                lines.number("start-time"),
                instant(lines.number("started-at")),
                instant(lines.number("ended-at")),
                Cause.values()[Math.clamp(lines.number("cause"), 0, Cause.values().length - 1)],
                (int) lines.number("restarts"),
                lines.number("oom-kills"),
                lines.number("log-dropped"),
                new WaitStatus(
                                WaitStatus.killed(Signal.SIGKILL).exitCode(),
                                WaitStatus.killed(Signal.SIGKILL).signal(),
                                false,
                                Duration.ofNanos(lines.number("user-micros") * 1000),
                                Duration.ofNanos(lines.number("system-micros") * 1000),
                                lines.number("max-resident") * 1024,
                                lines.number("major-faults"),
                                lines.number("voluntary-switches"),
                                lines.number("preemptions"))
                        .withWaitWord((int) lines.number("wait-status")));
    }

    static Instant instant(long nanosSinceEpoch) {
        return Instant.ofEpochSecond(nanosSinceEpoch / NANOS, nanosSinceEpoch % NANOS);
    }
}
