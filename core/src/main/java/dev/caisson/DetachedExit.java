// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.linux.Signal;
import dev.caisson.supervise.Status;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** How a detached container ended, from what its supervisor recorded. */
final class DetachedExit {
    private DetachedExit() {}

    static Exit of(Status status) {
        if (status.end().exitCode().isPresent()) {
            return new Exit.Exited(status.end().exitCode().getAsInt());
        }
        var signal = Signal.of(status.end().signal().orElseThrow());
        return new Exit.Killed(signal, reason(status, signal));
    }

    private static Exit.Reason reason(Status status, Signal signal) {
        return switch (status.cause()) {
            case STOPPED -> Exit.Cause.STOPPED;
            case TIMEOUT -> Exit.Cause.TIMEOUT;
            case ITSELF -> {
                if (signal.equals(Signal.SIGSYS)) {
                    yield Exit.Cause.SECCOMP;
                }
                yield signal.equals(Signal.SIGKILL)
                        ? outOfMemory(status)
                                .<Exit.Reason>map(Exit.OutOfMemory::new)
                                .orElse(Exit.Cause.SIGNAL)
                        : Exit.Cause.SIGNAL;
            }
        };
    }

    /** The counter alone outlives the cgroup: whose limit it was, nobody wrote down. */
    static Optional<OutOfMemory> outOfMemory(Status status) {
        return status.oomKills() == 0
                ? Optional.empty()
                : Optional.of(new OutOfMemory(
                        OutOfMemory.Scope.UNKNOWN,
                        Optional.empty(),
                        OptionalLong.empty(),
                        OptionalLong.empty(),
                        status.oomKills(),
                        List.of()));
    }

    static ContainerProcess.Resources resources(Status status) {
        var end = status.end();
        return new ContainerProcess.Resources(
                Duration.between(status.startedAt(), status.endedAt()),
                end.userTime(),
                end.systemTime(),
                end.maxResidentBytes(),
                end.majorFaults(),
                end.voluntarySwitches(),
                end.involuntarySwitches());
    }
}
