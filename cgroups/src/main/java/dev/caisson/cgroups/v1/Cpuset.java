// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v1;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limit.CpusetLimit;
import dev.caisson.cgroups.text.NumberList;
import java.util.List;

/** The cpuset controller: cpuset.* files. */
final class Cpuset {
    private Cpuset() {}

    static List<Write> writes(CpusetLimit limit) throws CgroupException {
        return switch (limit) {
            case Limit.Cpuset(var list) -> List.of(write(limit, "cpuset.cpus", NumberList.text(list)));
            case Limit.CpusetMems(var list) -> List.of(write(limit, "cpuset.mems", NumberList.text(list)));
            case Limit.CpusetExclusive _ -> throw V1Writes.unknown(limit, "boot with cgroup_no_v1=cpuset to have it");
            case Limit.CpusetPartition(var kind) -> {
                if (kind != Limit.CpusetPartition.Kind.MEMBER) {
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
