// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.cgroups.file.Placement;
import dev.caisson.cgroups.spec.DeviceRules;
import dev.caisson.cgroups.spec.Limit;
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

    /** The memory past which everything in it is slowed and reclaimed, never killed (memory.high; version 2 only). */
    public ContainerBuilder memoryHigh(long amount, ByteUnit unit) {
        return limits(current().memoryHigh(amount, unit));
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

    /** The processors it runs on, such as {@code "0-3,8"} (cpuset.cpus). */
    public ContainerBuilder cpuset(String cpus) {
        return limits(current().cpuset(cpus));
    }

    /** Bytes and operations per second of a device; begin with {@link Limit.IoMax#of} (io.max). */
    public ContainerBuilder ioMax(Limit.IoMax max) {
        return limits(current().ioMax(max));
    }

    /** Which devices may be used. */
    public ContainerBuilder devices(DeviceRules rules) {
        return limits(current().devices(rules));
    }

    /**
     * The existing cgroup below which the container's own is made, such as {@code /machine.slice}; else that is the root, or
     * for an ordinary user the cgroup delegated to it.
     */
    public ContainerBuilder cgroupParent(String path) {
        var parent = Placement.checked(path);
        return with(s -> s.withCgroupParent(parent));
    }

    /**
     * Gives it its own cgroup of version 2 to divide: mounted writable on {@code /sys/fs/cgroup}, as the root of a {@link #newCgroup
     * cgroup namespace}. Root inside may make cgroups in it and move its own processes between them, with the controllers that
     * its limits need, but neither change its own limits nor leave it.
     *
     * <p>That holds in a user namespace of a JVM that runs as root ({@link #newUser}); else only where cgroup2 is mounted with
     * {@code nsdelegate}, as systemd does. Where neither is so, the start fails.
     */
    public ContainerBuilder delegateCgroup() {
        return with(s -> s.withDelegatesCgroup(true).withLimits(current())).newCgroup();
    }

    /** All limits at once, in place of those set before. A container with limits, be it none, has a cgroup of its own. */
    public ContainerBuilder limits(Limits limits) {
        return with(s -> s.withLimits(limits));
    }

    private Limits current() {
        return spec.limits().orElse(Limits.none());
    }
}
