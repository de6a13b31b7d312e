// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v1;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.spec.DeviceRules;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limit.CpuLimit;
import dev.caisson.cgroups.spec.Limit.CpusetLimit;
import dev.caisson.cgroups.spec.Limit.IoLimit;
import dev.caisson.cgroups.spec.Limit.MemoryLimit;
import dev.caisson.cgroups.spec.Limits;
import java.util.List;

/** Limits as the files of the version 1 hierarchies, converted as the OCI runtimes do. */
public final class V1Writes {
    private V1Writes() {}

    /** {@return the name of a controller in version 1} */
    public static String controller(String controller) {
        return controller.equals("io") ? "blkio" : controller;
    }

    /**
     * {@return what setting a limit writes}
     *
     * @param all the limits it is one of
     * @throws CgroupException if version 1 has no such limit
     */
    public static List<Write> of(Limit limit, Limits all) throws CgroupException {
        return switch (limit) {
            case MemoryLimit memory -> Memory.writes(memory, all);
            case CpuLimit cpu -> Cpu.writes(cpu);
            case CpusetLimit cpuset -> Cpuset.writes(cpuset);
            case IoLimit io -> Io.writes(io);
            case Limit.PidsMax(var processes) -> List.of(write(limit, "pids.max", processes.toString()));
            case Limit.HugetlbMax huge ->
                List.of(write(
                        limit,
                        "hugetlb." + huge.pageSize() + (huge.reserved() ? ".rsvd" : "") + ".limit_in_bytes",
                        Memory.text(huge.bytes())));
            case Limit.RdmaMax(var device, var handles, var objects) ->
                List.of(write(limit, "rdma.max", device + " hca_handle=" + handles + " hca_object=" + objects));
            case Limit.MiscMax(var resource, var amount) -> List.of(write(limit, "misc.max", resource + " " + amount));
            case Limit.NetClassId(long id) -> List.of(write(limit, "net_cls.classid", Long.toString(id)));
            case Limit.NetPriority(var networkInterface, long priority) ->
                List.of(write(limit, "net_prio.ifpriomap", networkInterface + " " + priority));
            case DeviceRules rules -> Devices.writes(rules);
            case Limit.Unified(var key, var _) ->
                throw new CgroupException(
                        Reason.NOT_IN_THIS_VERSION,
                        limit.option(),
                        "the controller of " + key
                                + " is not in cgroup version 2 here, and version 1 has other files; use the limit's own"
                                + " method, which knows both",
                        null);
        };
    }

    /**
     * {@return limits that hold already and must be written again, because in version 1 their files count something together
     * with limits that are set}
     *
     * @param all those to set and those that hold
     */
    public static List<Limit> tied(Limits set, Limits all) {
        return set.find(Limit.MemoryMax.class).isPresent()
                        && set.find(Limit.SwapMax.class).isEmpty()
                ? List.copyOf(all.find(Limit.SwapMax.class).stream().toList())
                : List.of();
    }

    static CgroupException unknown(Limit limit, String remedy) {
        return new CgroupException(
                Reason.NOT_IN_THIS_VERSION,
                limit.option(),
                "the " + controller(limit.controller())
                        + " controller is in cgroup version 1 here, which has no such limit; " + remedy,
                null);
    }

    private static Write write(Limit limit, String file, String value) {
        return new Write(limit.option(), controller(limit.controller()), file, value);
    }
}
