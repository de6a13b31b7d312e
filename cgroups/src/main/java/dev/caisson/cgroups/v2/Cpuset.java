// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.CpusetLimit;
import java.util.List;

/** The cpuset controller: cpuset.* files. */
final class Cpuset {
    private Cpuset() {}

    static List<Write> writes(CpusetLimit limit) {
        return switch (limit) {
            case CpusetLimit.Cpus(var list) -> write(limit, "cpuset.cpus", list);
            case CpusetLimit.Mems(var list) -> write(limit, "cpuset.mems", list);
            case CpusetLimit.ExclusiveCpus(var list) -> write(limit, "cpuset.cpus.exclusive", list);
            case CpusetLimit.Partition(var kind) -> write(limit, "cpuset.cpus.partition", kind);
        };
    }

    private static List<Write> write(CpusetLimit limit, String file, Object value) {
        return List.of(new Write(limit.option(), "cpuset", file, value.toString()));
    }
}
