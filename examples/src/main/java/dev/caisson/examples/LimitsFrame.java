// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.cgroups.spec.Usage.MemoryEvents;
import dev.caisson.cgroups.spec.Usage.Stall;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One moment of a container: what it uses, against its limits. What the kernel does not count here is left out.
 *
 * @param before an earlier moment
 * @param between how much earlier
 */
record LimitsFrame(Limits limits, Usage before, Usage now, Duration between) {
    private static final int WIDTH = 32;

    /** {@return a line for each resource, as a bar of two characters and in words} */
    List<String> bars(char full, char empty) {
        double memory =
                (double) now.memoryBytes().orElse(0) / limits.memoryMax().orElseThrow();
        double pids = (double) pidsNow() / limits.pidsMax().orElseThrow();
        return List.of(
                bar(memory, full, empty) + memory(),
                bar(cpus() / limits.cpus().orElseThrow(), full, empty) + cpu(),
                bar(pids, full, empty) + pids(),
                " ".repeat(WIDTH + 1) + waiting());
    }

    /** {@return all of it in one line} */
    String line() {
        return String.join(" | ", memory(), cpu(), pids(), waiting());
    }

    private static String bar(double part, char full, char empty) {
        int filled = Math.clamp(Math.round(WIDTH * part), 0, WIDTH);
        return String.valueOf(full).repeat(filled) + String.valueOf(empty).repeat(WIDTH - filled) + " ";
    }

    private String memory() {
        var events = now.memory().map(Usage.Memory::events).orElse(MemoryEvents.NONE);
        return "memory %s of %s".formatted(mb(now.memoryBytes()), mb(limits.memoryMax()))
                + (now.memoryPeakBytes().isPresent() ? ", most " + mb(now.memoryPeakBytes()) : "")
                + count("at its limit", events.max())
                + count("killed", events.oomKill());
    }

    private String cpu() {
        var throttling = now.throttling()
                .map(t -> ", throttled in %d of %d periods for %.1f s"
                        .formatted(
                                t.throttledPeriods(),
                                t.periods(),
                                t.throttledTime().toMillis() / 1e3));
        return "cpu %.2f of %.2f".formatted(cpus(), limits.cpus().orElseThrow()) + throttling.orElse("");
    }

    private String pids() {
        return "pids %d of %d".formatted(pidsNow(), limits.pidsMax().orElseThrow())
                + count("forks refused", now.pids().map(Usage.Pids::maxEvents).orElse(OptionalLong.empty()));
    }

    private String waiting() {
        var stalls = now.pressure();
        return "waiting for cpu " + percent(stalls.cpu()) + ", memory " + percent(stalls.memory()) + ", io "
                + percent(stalls.io());
    }

    /** {@return processor time per time since the earlier moment} */
    private double cpus() {
        var used = now.cpuTime()
                .orElse(Duration.ZERO)
                .minus(before.cpuTime().orElse(Duration.ZERO))
                .toNanos();
        return between.isPositive() ? (double) used / between.toNanos() : 0;
    }

    private long pidsNow() {
        return now.pids().map(Usage.Pids::current).orElse(0L);
    }

    private static String percent(Optional<Stall> stall) {
        return stall.flatMap(Stall::some)
                .map(s -> "%.0f %%".formatted(s.avg10()))
                .orElse("unknown");
    }

    private static String mb(OptionalLong bytes) {
        return "%.1f MB".formatted(bytes.orElse(0) / 1048576.0);
    }

    private static String count(String what, OptionalLong times) {
        return times.isPresent() ? ", " + what + " " + times.getAsLong() : "";
    }
}
