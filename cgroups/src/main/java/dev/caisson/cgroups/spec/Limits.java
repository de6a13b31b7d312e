// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import dev.caisson.linux.ByteUnit;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What a cgroup may use. Fields are named as the files of version 2 are (Documentation/admin-guide/cgroup-v2.rst); what is
 * empty is not limited. Immutable: each method returns a new value.
 *
 * @param memoryMax bytes of memory, swap not included; past it the kernel kills a process (memory.max)
 * @param memoryHigh bytes past which processes are slowed and reclaimed, never killed (memory.high; version 2 only)
 * @param swapMax bytes of swap (memory.swap.max)
 * @param cpus processor time per time, such as 1.5 (cpu.max)
 * @param cpuWeight share among busy siblings, 1 to 10000, 100 being the default (cpu.weight)
 * @param pidsMax processes and threads (pids.max)
 */
public record Limits(
        OptionalLong memoryMax,
        OptionalLong memoryHigh,
        OptionalLong swapMax,
        OptionalDouble cpus,
        OptionalInt cpuWeight,
        OptionalLong pidsMax) {

    private static final Limits NONE = new Limits(
            OptionalLong.empty(),
            OptionalLong.empty(),
            OptionalLong.empty(),
            OptionalDouble.empty(),
            OptionalInt.empty(),
            OptionalLong.empty());
    private static final double LEAST_CPUS = 0.01;

    /** @throws IllegalArgumentException naming the limit, its value and what is allowed */
    public Limits {
        positive("memoryMax", memoryMax);
        positive("memoryHigh", memoryHigh);
        if (swapMax.isPresent() && swapMax.getAsLong() < 0) {
            throw new IllegalArgumentException("swapMax: " + swapMax.getAsLong() + " bytes is negative");
        }
        if (cpus.isPresent() && !(cpus.getAsDouble() >= LEAST_CPUS && cpus.getAsDouble() <= 8192)) {
            throw new IllegalArgumentException(
                    "cpus: " + cpus.getAsDouble() + " is not within " + LEAST_CPUS + " to 8192");
        }
        if (cpuWeight.isPresent() && (cpuWeight.getAsInt() < 1 || cpuWeight.getAsInt() > 10_000)) {
            throw new IllegalArgumentException("cpuWeight: " + cpuWeight.getAsInt() + " is not within 1 to 10000");
        }
        positive("pidsMax", pidsMax);
    }

    private static void positive(String name, OptionalLong value) {
        if (value.isPresent() && value.getAsLong() <= 0) {
            throw new IllegalArgumentException(name + ": " + value.getAsLong() + " is not positive");
        }
    }

    /** {@return no limit at all} */
    public static Limits none() {
        return NONE;
    }

    public Limits memoryMax(long amount, ByteUnit unit) {
        return new Limits(OptionalLong.of(unit.toBytes(amount)), memoryHigh, swapMax, cpus, cpuWeight, pidsMax);
    }

    public Limits memoryHigh(long amount, ByteUnit unit) {
        return new Limits(memoryMax, OptionalLong.of(unit.toBytes(amount)), swapMax, cpus, cpuWeight, pidsMax);
    }

    public Limits swapMax(long amount, ByteUnit unit) {
        return new Limits(memoryMax, memoryHigh, OptionalLong.of(unit.toBytes(amount)), cpus, cpuWeight, pidsMax);
    }

    public Limits cpus(double cpus) {
        return new Limits(memoryMax, memoryHigh, swapMax, OptionalDouble.of(cpus), cpuWeight, pidsMax);
    }

    public Limits cpuWeight(int weight) {
        return new Limits(memoryMax, memoryHigh, swapMax, cpus, OptionalInt.of(weight), pidsMax);
    }

    public Limits pidsMax(long processes) {
        return new Limits(memoryMax, memoryHigh, swapMax, cpus, cpuWeight, OptionalLong.of(processes));
    }
}
