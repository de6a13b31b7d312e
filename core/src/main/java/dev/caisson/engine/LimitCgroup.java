// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.CgroupBuilder;
import dev.caisson.cgroups.CgroupPlan;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.LimitSpec;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The cgroup of a container to be. What somebody set is enforced, or the start fails; what a preset adds is left out where
 * this host cannot enforce it, and that is told.
 *
 * @param <T> a cgroup, or a plan of one
 * @param made empty: the container is in its JVM's
 * @param unenforced limits of the preset, each with the reason
 */
record LimitCgroup<T>(Optional<T> made, List<String> unenforced) {

    /** {@return all of that, and what else is not enforced} */
    List<String> unenforcedAnd(List<String> more) {
        return Stream.concat(unenforced.stream(), more.stream()).toList();
    }

    /** What is done with a builder: make the cgroup, or plan it. */
    private interface Work<T> {
        T with(CgroupBuilder builder) throws IOException;
    }

    /** {@return neither a cgroup nor a limit} */
    static <T> LimitCgroup<T> none() {
        return new LimitCgroup<>(Optional.empty(), List.of());
    }

    /** {@return whether a container may get one} */
    static boolean isFor(ContainerSpec spec) {
        return spec.limits().hasCgroup() || spec.limits().withPreset().isPresent();
    }

    /** {@return that of a launch: a new one, or one in that of the container that is entered} */
    static LimitCgroup<Cgroup> make(Request request) throws IOException {
        var spec = request.spec();
        if (!isFor(spec)) {
            return none();
        }
        var outer = request.entrance().flatMap(Entrance::cgroup);
        return outer.isPresent()
                ? made(outer.get().child(request.entrance().get().nextName(), limits(spec)))
                : of(spec.limits(), CgroupBuilder::create);
    }

    /** {@return what would be made} */
    static LimitCgroup<CgroupPlan> plan(Request request) throws IOException {
        var spec = request.spec();
        if (!isFor(spec)) {
            return none();
        }
        var outer = request.entrance().flatMap(Entrance::cgroup);
        return outer.isPresent()
                ? made(outer.get().explainChild("<command>", limits(spec)))
                : of(spec.limits(), CgroupBuilder::explain);
    }

    private static Limits limits(ContainerSpec spec) {
        return spec.limits().set().orElse(Limits.none());
    }

    private static <T> LimitCgroup<T> made(T cgroup) {
        return new LimitCgroup<>(Optional.of(cgroup), List.of());
    }

    private static <T> LimitCgroup<T> of(LimitSpec limits, Work<T> work) throws IOException {
        var preset = limits.withPreset();
        if (preset.isEmpty()) {
            return new LimitCgroup<>(asSet(limits, work), List.of());
        }
        CgroupException refusal;
        try {
            return new LimitCgroup<>(Optional.of(work.with(builder(limits, preset.get()))), List.of());
        } catch (CgroupException refused) {
            refusal = refused;
        }
        // Whatever it was: if it lies with what somebody set, it is refused here again.
        return new LimitCgroup<>(
                asSet(limits, work),
                List.of("at most " + limits.presetPids().orElseThrow() + " processes: " + refusal.getMessage()));
    }

    private static <T> Optional<T> asSet(LimitSpec limits, Work<T> work) throws IOException {
        if (!limits.hasCgroup()) {
            return Optional.empty();
        }
        try {
            return Optional.of(work.with(builder(limits, limits.set().orElse(Limits.none()))));
        } catch (CgroupException refused) {
            throw limits.cpuTimeMax().isPresent() && limits.set().isEmpty() ? CpuAccount.refused(refused) : refused;
        }
    }

    private static CgroupBuilder builder(LimitSpec spec, Limits limits) {
        var builder = Cgroup.builder().limits(limits);
        builder = spec.cgroupName().isPresent() ? builder.name(spec.cgroupName().get()) : builder;
        return spec.cgroupParent().isPresent()
                ? builder.parent(spec.cgroupParent().get())
                : builder;
    }
}
