// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

/**
 * One limit, with its value. Named as the files of version 2 are; how the two versions of cgroups enforce it is decided
 * elsewhere, by switches that are complete because this type is sealed.
 */
public sealed interface Limit
        permits CpuLimit,
                CpusetLimit,
                DeviceRules,
                HugetlbMax,
                IoLimit,
                MemoryLimit,
                MiscMax,
                NetLimit,
                PidsMax,
                RdmaMax,
                Unified {

    /** {@return its name as users write it, such as {@code memoryMax}; errors begin with it} */
    String option();

    /** {@return whose files it is written to, by the name version 2 has for the controller; empty for files of every cgroup} */
    String controller();

    /** {@return what tells limits of one option apart, such as a device} Of two with one option and subject the later counts. */
    default String subject() {
        return "";
    }
}
