// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import java.time.Duration;
import java.util.Optional;

/** Limits of the cpu controller. */
public sealed interface CpuLimit extends Limit {
    @Override
    default String controller() {
        return "cpu";
    }

    /**
     * So much processor time in each period, over all processors (cpu.max; v1 cpu.cfs_quota_us and cpu.cfs_period_us).
     *
     * @param quota 1 ms or more; empty: without bound
     * @param period 1 ms to 1 s
     */
    record Max(Optional<Duration> quota, Duration period) implements CpuLimit {
        private static final Duration USUAL_PERIOD = Duration.ofMillis(100);
        private static final double LEAST = 0.01;
        private static final int MOST = 8192;

        public Max {
            quota.ifPresent(q -> {
                var _ = Check.micros("cpuMax quota", q, 1000, 1_000_000L * MOST);
            });
            var _ = Check.micros("cpuMax period", period, 1000, 1_000_000);
        }

        /** {@return processor time per time, such as 1.5, with the usual period of 100 ms} */
        public static Max cpus(double cpus) {
            if (!(cpus >= LEAST && cpus <= MOST)) {
                throw new IllegalArgumentException("cpus: " + cpus + " is not within " + LEAST + " to " + MOST);
            }
            return new Max(Optional.of(Duration.ofNanos(1000 * Math.round(cpus * 100_000))), USUAL_PERIOD);
        }

        @Override
        public String option() {
            return "cpus";
        }
    }

    /** Unused quota that may be saved up and spent at once (cpu.max.burst; v1 cpu.cfs_burst_us; since Linux 5.14). */
    record Burst(Duration time) implements CpuLimit {
        public Burst {
            var _ = Check.micros("cpuBurst", time, 0, 1_000_000L * 8192);
        }

        @Override
        public String option() {
            return "cpuBurst";
        }
    }

    /** Share among busy siblings, 1 to 10000, 100 being usual (cpu.weight; v1 cpu.shares, converted). */
    record Weight(int weight) implements CpuLimit {
        public Weight {
            var _ = Check.within("cpuWeight", weight, 1, 10_000);
        }

        @Override
        public String option() {
            return "cpuWeight";
        }
    }

    /** Share among busy siblings as version 1 and OCI count it, 2 to 262144, 1024 being usual (v1 cpu.shares; cpu.weight, converted). */
    record Shares(long shares) implements CpuLimit {
        public Shares {
            var _ = Check.within("cpuShares", shares, 2, 262_144);
        }

        @Override
        public String option() {
            return "cpuWeight";
        }
    }

    /** To run only when nobody else wants the processor (cpu.idle; since Linux 5.15). Without a weight of its own. */
    record Idle(boolean idle) implements CpuLimit {
        @Override
        public String option() {
            return "cpuIdle";
        }
    }

    /**
     * Time for tasks with a realtime policy (v1 cpu.rt_runtime_us and cpu.rt_period_us; version 2 has none).
     *
     * @param runtime not more than the period
     */
    record Realtime(Duration runtime, Duration period) implements CpuLimit {
        public Realtime {
            long most = Check.micros("cpuRealtime period", period, 1, 1_000_000L * 3600);
            var _ = Check.micros("cpuRealtime runtime", runtime, 0, most);
        }

        @Override
        public String option() {
            return "cpuRealtime";
        }
    }

    /**
     * Bounds of the utilisation the frequency governor sees, in hundredths of a percent (cpu.uclamp.min, cpu.uclamp.max;
     * version 2, and a kernel built with CONFIG_UCLAMP_TASK_GROUP).
     *
     * @param least 0 to 10000
     * @param most {@code least} to 10000
     */
    record Utilisation(int least, int most) implements CpuLimit {
        public Utilisation {
            var _ = Check.within("cpuUtilisation most", most, 0, 10_000);
            var _ = Check.within("cpuUtilisation least", least, 0, most);
        }

        @Override
        public String option() {
            return "cpuUtilisation";
        }
    }
}
