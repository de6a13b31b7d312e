// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.cgroups.spec.Limit.Amount;
import dev.caisson.linux.ByteUnit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What a cgroup may use. What is not in it is not limited. The usual limits have methods here, named as the files of version
 * 2 are (Documentation/admin-guide/cgroup-v2.rst); {@link #with} takes every {@link Limit} there is. Immutable: each method
 * returns a new value.
 *
 * {@snippet :
 * Limits.none().memoryMax(256, MB).cpus(1.5).pidsMax(64).with(new Limit.OomGroup(true))
 * }
 *
 * @param all in the order in which they were set; of one option and subject there is one
 */
@CheckReturnValue
public record Limits(List<Limit> all) {
    private static final Limits NONE = new Limits(List.of());

    public Limits {
        all = List.copyOf(all);
    }

    /** {@return no limit at all} */
    public static Limits none() {
        return NONE;
    }

    /** {@return these and one more, which replaces an earlier one of the same option and subject} */
    public Limits with(Limit limit) {
        var more = new ArrayList<Limit>(all.size() + 1);
        for (var old : all) {
            if (!old.option().equals(limit.option()) || !old.subject().equals(limit.subject())) {
                more.add(old);
            }
        }
        more.add(limit);
        return new Limits(more);
    }

    /** {@return these and all of others, which replace earlier ones} */
    public Limits with(Limits others) {
        var sum = this;
        for (var limit : others.all) {
            sum = sum.with(limit);
        }
        return sum;
    }

    /** {@return the limit of a kind, if there is one} */
    public <L extends Limit> Optional<L> find(Class<L> kind) {
        for (var limit : all) {
            if (kind.isInstance(limit)) {
                return Optional.of(kind.cast(limit));
            }
        }
        return Optional.empty();
    }

    /** The most memory, swap not included; past it the kernel kills a process (memory.max). */
    public Limits memoryMax(long amount, ByteUnit unit) {
        return with(new Limit.MemoryMax(Check.bytes("memoryMax", amount, unit)));
    }

    /** The memory past which processes are slowed and reclaimed, never killed (memory.high; version 2 only). */
    public Limits memoryHigh(long amount, ByteUnit unit) {
        return with(new Limit.MemoryHigh(Check.bytes("memoryHigh", amount, unit)));
    }

    /** The memory that is left alone while others have some to reclaim (memory.low). */
    public Limits memoryLow(long amount, ByteUnit unit) {
        return with(new Limit.MemoryLow(Check.bytes("memoryLow", amount, unit)));
    }

    /** The most swap; 0 is a real limit (memory.swap.max). */
    public Limits swapMax(long amount, ByteUnit unit) {
        return with(new Limit.SwapMax(Check.bytes("swapMax", amount, unit)));
    }

    /** CPU time per second of wall time: 1.5 is one and a half cores (cpu.max). 0.01 to 8192, and not more than the host has. */
    public Limits cpus(double cpus) {
        return with(Limit.CpuMax.cpus(cpus));
    }

    /** Processor time in each period (cpu.max). */
    public Limits cpuMax(Duration quota, Duration period) {
        return with(new Limit.CpuMax(Optional.of(quota), period));
    }

    /** The share among busy siblings, 1 to 10000, 100 being usual (cpu.weight). */
    public Limits cpuWeight(int weight) {
        return with(new Limit.CpuWeight(weight));
    }

    /** The processors to run on, such as {@code "0-3,8"} (cpuset.cpus). */
    public Limits cpuset(String cpus) {
        return with(Limit.Cpuset.of(cpus));
    }

    /** The memory nodes to allocate on, such as {@code "0"} (cpuset.mems). */
    public Limits cpusetMems(String nodes) {
        return with(Limit.CpusetMems.of(nodes));
    }

    /** Bytes and operations per second of a device; begin with {@link Limit.IoMax#of} (io.max). */
    public Limits ioMax(Limit.IoMax max) {
        return with(max);
    }

    /** The share of all devices among busy siblings, 1 to 10000, 100 being usual (io.weight). */
    public Limits ioWeight(int weight) {
        return with(new Limit.IoWeight(weight));
    }

    /** Processes and threads at one time (pids.max). */
    public Limits pidsMax(long processes) {
        return with(new Limit.PidsMax(Amount.of(processes)));
    }

    /** Which devices may be used. */
    public Limits devices(DeviceRules rules) {
        return with(rules);
    }

    /** A value for a file of version 2 by its name. */
    public Limits unified(String file, String value) {
        return with(new Limit.Unified(file, value));
    }

    /** {@return bytes, if memory is limited} */
    public OptionalLong memoryMax() {
        return find(Limit.MemoryMax.class).map(m -> m.bytes().value()).orElse(OptionalLong.empty());
    }

    /** {@return bytes, if there is such a limit} */
    public OptionalLong memoryHigh() {
        return find(Limit.MemoryHigh.class).map(m -> m.bytes().value()).orElse(OptionalLong.empty());
    }

    /** {@return bytes, if swap is limited} */
    public OptionalLong swapMax() {
        return find(Limit.SwapMax.class).map(m -> m.bytes().value()).orElse(OptionalLong.empty());
    }

    /** {@return CPU time per second of wall time, if it is limited} */
    public OptionalDouble cpus() {
        return find(Limit.CpuMax.class)
                .flatMap(m ->
                        m.quota().map(q -> (double) q.toNanos() / m.period().toNanos()))
                .map(OptionalDouble::of)
                .orElse(OptionalDouble.empty());
    }

    /** {@return the share, if it was set} */
    public OptionalInt cpuWeight() {
        return find(Limit.CpuWeight.class).map(w -> OptionalInt.of(w.weight())).orElse(OptionalInt.empty());
    }

    /** {@return the number, if processes are limited} */
    public OptionalLong pidsMax() {
        return find(Limit.PidsMax.class).map(p -> p.processes().value()).orElse(OptionalLong.empty());
    }
}
