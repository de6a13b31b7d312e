// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limit.CpuLimit;
import java.time.Duration;
import java.util.List;

/** The cpu controller: cpu.* files. */
final class Cpu {
    private static final int LEAST_SHARES = 2;
    private static final int MOST_SHARES = 262_144;

    private Cpu() {}

    static List<Write> writes(CpuLimit limit) throws CgroupException {
        return switch (limit) {
            case Limit.CpuMax(var quota, var period) ->
                write(limit, "cpu.max", quota.map(q -> Long.toString(micros(q))).orElse("max") + " " + micros(period));
            case Limit.CpuBurst(var time) -> write(limit, "cpu.max.burst", micros(time));
            case Limit.CpuWeight(int weight) -> write(limit, "cpu.weight", weight);
            case Limit.CpuShares(long shares) -> write(limit, "cpu.weight", weight(shares));
            case Limit.CpuIdle(boolean idle) -> write(limit, "cpu.idle", idle ? 1 : 0);
            case Limit.CpuRealtime _ ->
                throw V2Writes.unknown(limit, "realtime tasks are only in the root cgroup there; leave it out");
            case Limit.CpuUtilisation(int least, int most) ->
                List.of(
                        new Write(limit.option(), "cpu", "cpu.uclamp.max", percent(most)),
                        new Write(limit.option(), "cpu", "cpu.uclamp.min", percent(least)));
        };
    }

    /**
     * Shares 2, 1024 and 262144 become the weights 1, 100 and 10000: the least, usual and greatest of each. In between, the
     * exponent of the weight is quadratic in that of the shares, as crun 1.23 and runc 1.3.2 have it; before, they drew a
     * line from end to end, which made the usual shares a weight of 39.
     */
    static int weight(long shares) {
        if (shares <= LEAST_SHARES) {
            return 1;
        }
        if (shares >= MOST_SHARES) {
            return 10_000;
        }
        double l = Math.log((double) shares) / Math.log(2);
        double exponent = (l * l + 125 * l) / 612.0 - 7.0 / 34.0;
        // Rounding errors of a whole result must not lift it to the next: 1024 is 100, not 101.
        return (int) Math.ceil(Math.pow(10, exponent) - 1e-9);
    }

    private static long micros(Duration time) {
        return time.toNanos() / 1000;
    }

    private static String percent(int hundredths) {
        return String.format(java.util.Locale.ROOT, "%d.%02d", hundredths / 100, hundredths % 100);
    }

    private static List<Write> write(CpuLimit limit, String file, Object value) {
        return List.of(new Write(limit.option(), "cpu", file, value.toString()));
    }
}
