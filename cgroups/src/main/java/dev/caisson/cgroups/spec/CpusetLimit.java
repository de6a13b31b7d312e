// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import java.util.Locale;

/** Limits of the cpuset controller. */
public sealed interface CpusetLimit extends Limit {
    @Override
    default String controller() {
        return "cpuset";
    }

    /** The processors to run on (cpuset.cpus). Not empty. */
    record Cpus(NumberList list) implements CpusetLimit {
        public Cpus {
            requireSome("cpuset", list);
        }

        @Override
        public String option() {
            return "cpuset";
        }
    }

    /** The memory nodes to allocate on (cpuset.mems). Not empty. */
    record Mems(NumberList list) implements CpusetLimit {
        public Mems {
            requireSome("cpusetMems", list);
        }

        @Override
        public String option() {
            return "cpusetMems";
        }
    }

    /** Processors nobody else's partition may have (cpuset.cpus.exclusive; version 2 since Linux 6.7). */
    record ExclusiveCpus(NumberList list) implements CpusetLimit {
        public ExclusiveCpus {
            requireSome("cpusetExclusive", list);
        }

        @Override
        public String option() {
            return "cpusetExclusive";
        }
    }

    /** Whether the cgroup's processors leave the parent's scheduling domain (cpuset.cpus.partition; version 2 only). */
    record Partition(Kind kind) implements CpusetLimit {
        /** What becomes of the processors. */
        public enum Kind {
            /** They stay in the parent's domain. */
            MEMBER,
            /** They are a domain of their own. */
            ROOT,
            /** They are a domain without load balancing. */
            ISOLATED;

            /** {@return the kernel's word} */
            @Override
            public String toString() {
                return name().toLowerCase(Locale.ROOT);
            }
        }

        @Override
        public String option() {
            return "cpusetPartition";
        }
    }

    private static void requireSome(String option, NumberList list) {
        if (list.numbers().isEmpty()) {
            throw new IllegalArgumentException(option + ": the list is empty; a process could run nowhere");
        }
    }
}
