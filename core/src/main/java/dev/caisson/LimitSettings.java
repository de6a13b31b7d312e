// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.launch.ImmutableContainerSpec;
import dev.caisson.linux.ByteUnit;

/** How much of the host a container takes. */
@CheckReturnValue
abstract class LimitSettings extends PrivilegeSettings {

    LimitSettings(ImmutableContainerSpec spec) {
        super(spec);
    }

    /** The most memory everything in it takes together; past it the kernel kills (memory.max). */
    public ContainerBuilder memoryMax(long amount, ByteUnit unit) {
        return limits(current().memoryMax(amount, unit));
    }

    /** The most swap it takes (memory.swap.max). */
    public ContainerBuilder swapMax(long amount, ByteUnit unit) {
        return limits(current().swapMax(amount, unit));
    }

    /** The most processor time per time, such as 1.5 (cpu.max). */
    public ContainerBuilder cpus(double cpus) {
        return limits(current().cpus(cpus));
    }

    /** The share among busy siblings, 1 to 10000, 100 being usual (cpu.weight). */
    public ContainerBuilder cpuWeight(int weight) {
        return limits(current().cpuWeight(weight));
    }

    /** The most processes and threads (pids.max). */
    public ContainerBuilder pidsMax(long processes) {
        return limits(current().pidsMax(processes));
    }

    public ContainerBuilder limits(Limits limits) {
        return with(s -> s.withLimits(limits));
    }

    private Limits current() {
        return spec.limits().orElse(Limits.none());
    }
}
