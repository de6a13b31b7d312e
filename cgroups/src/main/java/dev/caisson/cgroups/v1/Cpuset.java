// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v1;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CpusetLimit;
import java.util.List;

/** The cpuset controller: cpuset.* files. */
final class Cpuset {
    private Cpuset() {}

    static List<Write> writes(CpusetLimit limit) throws CgroupException {
        return switch (limit) {
            case CpusetLimit.Cpus(var list) -> List.of(write(limit, "cpuset.cpus", list.toString()));
            case CpusetLimit.Mems(var list) -> List.of(write(limit, "cpuset.mems", list.toString()));
            case CpusetLimit.ExclusiveCpus _ ->
                throw V1Writes.unknown(limit, "boot with cgroup_no_v1=cpuset to have it");
            case CpusetLimit.Partition(var kind) -> {
                if (kind != CpusetLimit.Partition.Kind.MEMBER) {
                    throw V1Writes.unknown(limit, "boot with cgroup_no_v1=cpuset to have it");
                }
                yield List.of();
            }
        };
    }

    private static Write write(CpusetLimit limit, String file, String value) {
        return new Write(limit.option(), "cpuset", file, value);
    }
}
