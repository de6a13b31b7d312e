// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.spec.DeviceRules;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limit.CpuLimit;
import dev.caisson.cgroups.spec.Limit.CpusetLimit;
import dev.caisson.cgroups.spec.Limit.IoLimit;
import dev.caisson.cgroups.spec.Limit.MemoryLimit;
import dev.caisson.cgroups.spec.Limit.NetLimit;
import java.util.List;

/** Limits as the files of the unified hierarchy. */
public final class V2Writes {
    private V2Writes() {}

    /**
     * {@return what setting a limit writes; nothing for device rules, which are not files}
     *
     * @throws CgroupException if version 2 has no such limit
     */
    public static List<Write> of(Limit limit) throws CgroupException {
        return switch (limit) {
            case MemoryLimit memory -> Memory.writes(memory);
            case CpuLimit cpu -> Cpu.writes(cpu);
            case CpusetLimit cpuset -> Cpuset.writes(cpuset);
            case IoLimit io -> Io.writes(io);
            case Limit.PidsMax(var processes) -> List.of(write(limit, "pids.max", processes.toString()));
            case Limit.HugetlbMax huge ->
                List.of(write(
                        limit,
                        "hugetlb." + huge.pageSize() + (huge.reserved() ? ".rsvd.max" : ".max"),
                        huge.bytes().toString()));
            case Limit.RdmaMax(var device, var handles, var objects) ->
                List.of(write(limit, "rdma.max", device + " hca_handle=" + handles + " hca_object=" + objects));
            case Limit.MiscMax(var resource, var amount) -> List.of(write(limit, "misc.max", resource + " " + amount));
            case NetLimit _ ->
                throw unknown(limit, "match the cgroup's path in nftables (socket cgroupv2) or tc-bpf(8) instead");
            case DeviceRules _ -> List.of();
            case Limit.Unified(var key, var value) -> List.of(write(limit, key, value));
        };
    }

    static CgroupException unknown(Limit limit, String remedy) {
        return new CgroupException(
                Reason.NOT_IN_THIS_VERSION,
                limit.option(),
                "the " + limit.controller() + " controller is in cgroup version 2 here, which has no such limit; "
                        + remedy,
                null);
    }

    private static Write write(Limit limit, String file, String value) {
        return new Write(limit.option(), limit.controller(), file, value);
    }
}
