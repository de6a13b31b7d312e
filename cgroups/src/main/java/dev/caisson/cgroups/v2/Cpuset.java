// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limit.CpusetLimit;
import dev.caisson.cgroups.text.NumberList;
import java.util.List;

/** The cpuset controller: cpuset.* files. */
final class Cpuset {
    private Cpuset() {}

    static List<Write> writes(CpusetLimit limit) {
        return switch (limit) {
            case Limit.Cpuset(var list) -> write(limit, "cpuset.cpus", NumberList.text(list));
            case Limit.CpusetMems(var list) -> write(limit, "cpuset.mems", NumberList.text(list));
            case Limit.CpusetExclusive(var list) -> write(limit, "cpuset.cpus.exclusive", NumberList.text(list));
            case Limit.CpusetPartition(var kind) -> write(limit, "cpuset.cpus.partition", kind);
        };
    }

    private static List<Write> write(CpusetLimit limit, String file, Object value) {
        return List.of(new Write(limit.option(), "cpuset", file, value.toString()));
    }
}
