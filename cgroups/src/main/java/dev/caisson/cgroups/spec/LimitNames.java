// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import dev.caisson.cgroups.spec.Limit.CpuBurst;
import dev.caisson.cgroups.spec.Limit.CpuIdle;
import dev.caisson.cgroups.spec.Limit.CpuLimit;
import dev.caisson.cgroups.spec.Limit.CpuMax;
import dev.caisson.cgroups.spec.Limit.CpuRealtime;
import dev.caisson.cgroups.spec.Limit.CpuShares;
import dev.caisson.cgroups.spec.Limit.CpuUtilisation;
import dev.caisson.cgroups.spec.Limit.CpuWeight;
import dev.caisson.cgroups.spec.Limit.Cpuset;
import dev.caisson.cgroups.spec.Limit.CpusetExclusive;
import dev.caisson.cgroups.spec.Limit.CpusetLimit;
import dev.caisson.cgroups.spec.Limit.CpusetMems;
import dev.caisson.cgroups.spec.Limit.CpusetPartition;
import dev.caisson.cgroups.spec.Limit.IoDeviceWeight;
import dev.caisson.cgroups.spec.Limit.IoLatency;
import dev.caisson.cgroups.spec.Limit.IoLimit;
import dev.caisson.cgroups.spec.Limit.IoMax;
import dev.caisson.cgroups.spec.Limit.IoWeight;
import dev.caisson.cgroups.spec.Limit.KernelTcpMax;
import dev.caisson.cgroups.spec.Limit.MemoryHigh;
import dev.caisson.cgroups.spec.Limit.MemoryLimit;
import dev.caisson.cgroups.spec.Limit.MemoryLow;
import dev.caisson.cgroups.spec.Limit.MemoryMax;
import dev.caisson.cgroups.spec.Limit.MemoryMin;
import dev.caisson.cgroups.spec.Limit.NetClassId;
import dev.caisson.cgroups.spec.Limit.NetPriority;
import dev.caisson.cgroups.spec.Limit.OomGroup;
import dev.caisson.cgroups.spec.Limit.OomKillDisable;
import dev.caisson.cgroups.spec.Limit.SwapHigh;
import dev.caisson.cgroups.spec.Limit.SwapMax;
import dev.caisson.cgroups.spec.Limit.Swappiness;
import dev.caisson.cgroups.spec.Limit.ZswapMax;

/** What each kind of limit is called: its option, its controller, and what it is a limit of. */
final class LimitNames {
    private LimitNames() {}

    static String option(Limit limit) {
        return switch (limit) {
            case MemoryMax _ -> "memoryMax";
            case MemoryHigh _ -> "memoryHigh";
            case MemoryLow _ -> "memoryLow";
            case MemoryMin _ -> "memoryMin";
            case SwapMax _ -> "swapMax";
            case SwapHigh _ -> "swapHigh";
            case ZswapMax _ -> "zswapMax";
            case OomGroup _ -> "oomGroup";
            case Swappiness _ -> "swappiness";
            case OomKillDisable _ -> "oomKillDisable";
            case KernelTcpMax _ -> "kernelTcpMax";
            case CpuMax _ -> "cpus";
            case CpuBurst _ -> "cpuBurst";
            case CpuWeight _, CpuShares _ -> "cpuWeight"; // Two measures of one thing: the later counts.
            case CpuIdle _ -> "cpuIdle";
            case CpuRealtime _ -> "cpuRealtime";
            case CpuUtilisation _ -> "cpuUtilisation";
            case Cpuset _ -> "cpuset";
            case CpusetMems _ -> "cpusetMems";
            case CpusetExclusive _ -> "cpusetExclusive";
            case CpusetPartition _ -> "cpusetPartition";
            case IoMax _ -> "ioMax";
            case IoWeight _, IoDeviceWeight _ -> "ioWeight";
            case IoLatency _ -> "ioLatency";
            case Limit.PidsMax _ -> "pidsMax";
            case Limit.HugetlbMax _ -> "hugetlbMax";
            case Limit.RdmaMax _ -> "rdmaMax";
            case Limit.MiscMax _ -> "miscMax";
            case NetClassId _ -> "netClassId";
            case NetPriority _ -> "netPriority";
            case Limit.Unified _ -> "unified";
            case DeviceRules _ -> "devices";
        };
    }

    static String controller(Limit limit) {
        return switch (limit) {
            case MemoryLimit _ -> "memory";
            case CpuLimit _ -> "cpu";
            case CpusetLimit _ -> "cpuset";
            case IoLimit _ -> "io";
            case Limit.PidsMax _ -> "pids";
            case Limit.HugetlbMax _ -> "hugetlb";
            case Limit.RdmaMax _ -> "rdma";
            case Limit.MiscMax _ -> "misc";
            case NetClassId _ -> "net_cls";
            case NetPriority _ -> "net_prio";
            case DeviceRules _ -> "devices";
            case Limit.Unified unified -> {
                String prefix = unified.key().substring(0, unified.key().indexOf('.'));
                yield prefix.equals("cgroup") ? "" : prefix;
            }
        };
    }

    static String subject(Limit limit) {
        return switch (limit) {
            case IoMax io -> io.device().toString();
            case IoDeviceWeight io -> io.device().toString();
            case IoLatency io -> io.device().toString();
            case Limit.HugetlbMax huge -> huge.pageSize() + (huge.reserved() ? " reserved" : "");
            case Limit.RdmaMax rdma -> rdma.device();
            case Limit.MiscMax misc -> misc.resource();
            case NetPriority priority -> priority.networkInterface();
            case Limit.Unified unified -> unified.key();
            default -> "";
        };
    }
}
