// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v1;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.Limits;
import java.util.ArrayList;
import java.util.List;

/** Limits as the files of the version 1 hierarchies, converted as the OCI runtimes do. */
public final class V1Writes {
    private static final long PERIOD_MICROS = 100_000;

    private V1Writes() {}

    /**
     * {@return what setting these limits writes}
     *
     * @throws UnsupportedOperationException if version 1 has no such limit
     */
    public static List<Write> of(Limits limits) {
        var writes = new ArrayList<Write>();
        if (limits.memoryHigh().isPresent()) {
            throw new UnsupportedOperationException(
                    "memoryHigh: the memory controller is in version 1 here, which cannot slow processes down;"
                            + " use memoryMax, or boot with cgroup_no_v1=memory");
        }
        limits.memoryMax().ifPresent(b -> writes.add(write("memoryMax", "memory", "memory.limit_in_bytes", b)));
        limits.swapMax().ifPresent(swap -> {
            if (limits.memoryMax().isEmpty()) {
                throw new UnsupportedOperationException(
                        "swapMax: version 1 limits memory and swap together; set memoryMax too");
            }
            long sum = Math.addExact(limits.memoryMax().getAsLong(), swap);
            writes.add(write("swapMax", "memory", "memory.memsw.limit_in_bytes", sum));
        });
        limits.cpus().ifPresent(c -> {
            writes.add(write("cpus", "cpu", "cpu.cfs_period_us", PERIOD_MICROS));
            writes.add(write("cpus", "cpu", "cpu.cfs_quota_us", Math.max(1000, Math.round(c * PERIOD_MICROS))));
        });
        limits.cpuWeight().ifPresent(w -> writes.add(write("cpuWeight", "cpu", "cpu.shares", shares(w))));
        limits.pidsMax().ifPresent(n -> writes.add(write("pidsMax", "pids", "pids.max", n)));
        return writes;
    }

    /** 100 is 1024, the defaults of the two versions, and the ends of the ranges are each other's. */
    static long shares(int weight) {
        return Math.clamp(Math.round(weight * 1024 / 100.0), 2, 262_144);
    }

    private static Write write(String option, String controller, String file, long value) {
        return new Write(option, controller, file, Long.toString(value));
    }
}
