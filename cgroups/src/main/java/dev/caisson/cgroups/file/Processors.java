// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.file;

import dev.caisson.cgroups.spec.CpuLimit;
import dev.caisson.cgroups.spec.CpusetLimit;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.NumberList;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;

/**
 * The processors of the host, whatever this process may use of them.
 *
 * @param online those that run
 */
public record Processors(NumberList online) {
    /** Reads what the kernel says. */
    public static Processors ofThisHost() throws IOException {
        return new Processors(
                NumberList.parse("online processors", Files.readString(Path.of("/sys/devices/system/cpu/online"))));
    }

    /** Refuses what this host cannot have.
     *
     * @throws IllegalArgumentException if limits name more processors, or others, than there are */
    public void check(Limits limits) {
        limits.cpus().ifPresent(cpus -> {
            if (cpus > online.numbers().size()) {
                throw new IllegalArgumentException("cpus: " + cpus + " is more than the "
                        + online.numbers().size() + " processors of this host");
            }
        });
        limits.find(CpusetLimit.Cpus.class).ifPresent(cpus -> {
            var others = new TreeSet<>(cpus.list().numbers());
            others.removeAll(online.numbers());
            if (!others.isEmpty()) {
                throw new IllegalArgumentException(
                        "cpuset: this host has no processor " + new NumberList(others) + "; it has " + online);
            }
        });
        limits.find(CpuLimit.Burst.class).ifPresent(burst -> {
            var quota = limits.find(CpuLimit.Max.class).flatMap(CpuLimit.Max::quota);
            if (quota.isPresent() && burst.time().compareTo(quota.get()) > 0) {
                throw new IllegalArgumentException(
                        "cpuBurst: " + burst.time() + " is more than the quota, " + quota.get());
            }
        });
    }
}
