// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v1;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limit.CpuLimit;
import java.time.Duration;
import java.util.List;

/** The cpu controller: cpu.* files. */
final class Cpu {
    private Cpu() {}

    static List<Write> writes(CpuLimit limit) throws CgroupException {
        return switch (limit) {
            case Limit.CpuMax(var quota, var period) ->
                List.of(
                        write(limit, "cpu.cfs_period_us", micros(period)),
                        write(limit, "cpu.cfs_quota_us", quota.map(Cpu::micros).orElse(-1L)));
            case Limit.CpuBurst(var time) -> List.of(write(limit, "cpu.cfs_burst_us", micros(time)));
            case Limit.CpuWeight(int weight) -> List.of(write(limit, "cpu.shares", shares(weight)));
            case Limit.CpuShares(long shares) -> List.of(write(limit, "cpu.shares", shares));
            case Limit.CpuIdle(boolean idle) -> List.of(write(limit, "cpu.idle", idle ? 1 : 0));
            case Limit.CpuRealtime(var runtime, var period) ->
                List.of(
                        write(limit, "cpu.rt_period_us", micros(period)),
                        write(limit, "cpu.rt_runtime_us", micros(runtime)));
            case Limit.CpuUtilisation _ -> throw V1Writes.unknown(limit, "boot with cgroup_no_v1=cpu to have it");
        };
    }

    /** The inverse of the quadratic formula by which the OCI runtimes turn shares into a weight: 100 is 1024. */
    static long shares(int weight) {
        double x = 612 * (Math.log10(weight) + 7.0 / 34.0);
        double l = (-125 + Math.sqrt(125 * 125 + 4 * x)) / 2;
        return Math.clamp((long) Math.floor(Math.pow(2, l) + 1e-6), 2, 262_144);
    }

    private static long micros(Duration time) {
        return time.toNanos() / 1000;
    }

    private static Write write(CpuLimit limit, String file, long value) {
        return new Write(limit.option(), "cpu", file, Long.toString(value));
    }
}
