// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.file.ControlFile;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.text.NumberList;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/** The processors of the host, whatever this process may use of them. */
final class Processors {
    private static final Path ONLINE = Path.of("/sys/devices/system/cpu/online");

    private Processors() {}

    /**
     * Refuses what this host cannot have.
     *
     * @param limits those to set
     * @param all those and the ones that hold already
     * @throws IllegalArgumentException if limits name more processors than there are, or others
     */
    static void check(Limits limits, Limits all) throws IOException {
        var cpus = limits.cpus();
        var cpuset = limits.find(Limit.Cpuset.class);
        if (cpus.isPresent() || cpuset.isPresent()) {
            var online = NumberList.parse("online processors", ControlFile.read(ONLINE));
            check(online, cpus.orElse(0), cpuset);
        }
        all.find(Limit.CpuBurst.class).ifPresent(burst -> {
            var quota = all.find(Limit.CpuMax.class).flatMap(Limit.CpuMax::quota);
            if (quota.isPresent() && burst.time().compareTo(quota.get()) > 0) {
                throw new IllegalArgumentException(
                        "cpuBurst: " + burst.time() + " is more than the quota, " + quota.get());
            }
        });
    }

    private static void check(SortedSet<Integer> online, double cpus, Optional<Limit.Cpuset> cpuset) {
        if (cpus > online.size()) {
            throw new IllegalArgumentException(
                    "cpus: " + cpus + " is more than the " + online.size() + " processors of this host");
        }
        cpuset.ifPresent(wanted -> {
            var others = new TreeSet<>(wanted.cpus());
            others.removeAll(online);
            if (!others.isEmpty()) {
                throw new IllegalArgumentException("cpuset: this host has no processor " + NumberList.text(others)
                        + "; it has " + NumberList.text(online));
            }
        });
    }
}
