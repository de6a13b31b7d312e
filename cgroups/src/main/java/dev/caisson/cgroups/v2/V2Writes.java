// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.Limits;
import java.util.ArrayList;
import java.util.List;

/** Limits as the files of the unified hierarchy. */
public final class V2Writes {
    private static final long PERIOD_MICROS = 100_000;

    private V2Writes() {}

    public static List<Write> of(Limits limits) {
        var writes = new ArrayList<Write>();
        limits.memoryHigh().ifPresent(b -> writes.add(write("memoryHigh", "memory", "memory.high", b)));
        limits.memoryMax().ifPresent(b -> writes.add(write("memoryMax", "memory", "memory.max", b)));
        limits.swapMax().ifPresent(b -> writes.add(write("swapMax", "memory", "memory.swap.max", b)));
        limits.cpus()
                .ifPresent(c -> writes.add(
                        new Write("cpus", "cpu", "cpu.max", Math.round(c * PERIOD_MICROS) + " " + PERIOD_MICROS)));
        limits.cpuWeight().ifPresent(w -> writes.add(write("cpuWeight", "cpu", "cpu.weight", w)));
        limits.pidsMax().ifPresent(n -> writes.add(write("pidsMax", "pids", "pids.max", n)));
        return writes;
    }

    private static Write write(String option, String controller, String file, long value) {
        return new Write(option, controller, file, Long.toString(value));
    }
}
