// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.cgroups.CgroupPlan.Step;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.hierarchy.Hierarchy;
import dev.caisson.cgroups.hierarchy.Placement;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limits;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A cgroup to be. Immutable: each method returns a new builder.
 *
 * {@snippet :
 * try (Cgroup cgroup = Cgroup.builder().limits(Limits.none().memoryMax(256, MB).pidsMax(64)).create()) {
 *     cgroup.add(process.pid());
 * }
 * }
 */
@CheckReturnValue
public final class CgroupBuilder {
    /** Numbers the cgroups of this JVM: their names must differ, whoever makes them. */
    private static final AtomicLong NUMBERS = new AtomicLong();

    private final Place place;
    private final Wanted wanted;

    /** Where it is to be made. @param mounts null: those of this process */
    private record Place(
            @Nullable CgroupMounts mounts,
            Optional<Version> only,
            Optional<String> parent,
            @Nullable String name,
            boolean evacuate) {
        CgroupMounts seen() throws IOException {
            var all = mounts != null ? mounts : CgroupMounts.known();
            return only.map(v -> v == Version.V1 ? all.legacyOnly() : all.unifiedOnly())
                    .orElse(all);
        }
    }

    /** What it is to have. @param wished limits that are reported where they cannot be enforced */
    private record Wanted(Limits limits, Limits wished, boolean bestEffort) {
        Limits all() {
            return wished.with(limits);
        }

        boolean isOnlyWished(Limit limit) {
            return bestEffort || !limits.all().contains(limit);
        }
    }

    /** The versions of cgroups that there are. */
    public enum Version {
        /** A hierarchy for each controller, or a few of them. */
        V1,
        /** The unified hierarchy. */
        V2
    }

    private CgroupBuilder(Place place, Wanted wanted) {
        this.place = place;
        this.wanted = wanted;
    }

    static CgroupBuilder of(@Nullable CgroupMounts mounts) {
        return new CgroupBuilder(
                new Place(mounts, Optional.empty(), Optional.empty(), null, false),
                new Wanted(Limits.none(), Limits.none(), false));
    }

    /**
     * Names it; else it gets a name that tells which process made it, by which {@link Cgroup#removeLeftovers()} recognises it.
     *
     * @throws IllegalArgumentException if it is not a single path element, or could be taken for a control file
     */
    public CgroupBuilder name(String cgroup) {
        return new CgroupBuilder(
                new Place(place.mounts, place.only, place.parent, Placement.checkedName(cgroup), place.evacuate),
                wanted);
    }

    /**
     * The existing cgroup below which it is made, by its path from the mount point, such as {@code /machine.slice}; else that
     * is the root, or for an ordinary user the cgroup delegated to it.
     *
     * @throws IllegalArgumentException if the path is not absolute, or has {@code ..} in it
     */
    public CgroupBuilder parent(String path) {
        return new CgroupBuilder(
                new Place(place.mounts, place.only, Optional.of(Placement.checked(path)), place.name, place.evacuate),
                wanted);
    }

    /** Makes it in the hierarchies of one version alone, as if the other were not mounted; else in both, as limits require. */
    public CgroupBuilder only(Version version) {
        return new CgroupBuilder(
                new Place(place.mounts, Optional.of(version), place.parent, place.name, place.evacuate), wanted);
    }

    /**
     * Allows the processes of the parent, this JVM perhaps among them, to be moved to a leaf beside the new cgroup, if they
     * are in the way of the parent's controllers. They stay there.
     */
    public CgroupBuilder evacuate() {
        return new CgroupBuilder(new Place(place.mounts, place.only, place.parent, place.name, true), wanted);
    }

    /** The limits it has, in place of those set before; none is usual. */
    public CgroupBuilder limits(Limits all) {
        return new CgroupBuilder(place, new Wanted(all, wanted.wished, wanted.bestEffort));
    }

    /**
     * Limits it has where they can be enforced; those that cannot are reported by {@link Cgroup#unenforced} and {@link
     * CgroupPlan#unenforced}, each with the reason. What {@link #limits} says of the same option counts before them.
     */
    public CgroupBuilder wish(Limits limits) {
        return new CgroupBuilder(place, new Wanted(wanted.limits, limits, wanted.bestEffort));
    }

    /** Treats all limits as {@link #wish wished for}: those that cannot be enforced are reported instead of refused. */
    public CgroupBuilder bestEffort() {
        return new CgroupBuilder(place, new Wanted(wanted.limits, wanted.wished, true));
    }

    /**
     * {@return what {@link #create} would do}
     *
     * @throws CgroupException if a limit cannot be enforced on this machine
     * @throws IllegalArgumentException if limits name more processors than there are
     */
    public CgroupPlan explain() throws IOException {
        var site = site();
        String called = place.name == null ? "<name>" : place.name;
        var steps = new ArrayList<Step>();
        if (site.unifiedParent() != null) {
            Path directory = site.unifiedParent().resolve(called);
            if (!site.division().unifiedControllers().isEmpty()) {
                steps.add(Step.bringDown(site.unifiedParent(), site.division().unifiedControllers()));
            }
            steps.add(Step.make(directory, "in version 2"));
            site.division().unified().forEach(w -> steps.add(Step.write(directory, w)));
            site.division().devices().ifPresent(rules -> {
                steps.add(new Step(
                        "bpf(BPF_PROG_LOAD, {BPF_PROG_TYPE_CGROUP_DEVICE, "
                                + rules.rules().size() + " rules})",
                        "limit devices"));
                steps.add(new Step("bpf(BPF_PROG_ATTACH, {BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI})", "limit devices"));
            });
        }
        site.legacyParents()
                .forEach((hierarchy, above) -> steps.add(
                        Step.make(above.resolve(called), "in hierarchy " + hierarchy.name() + " of version 1")));
        for (var write : site.division().legacy()) {
            var hierarchy = site.mounts().legacyHierarchy(write.controller()).orElseThrow();
            Path above = site.legacyParents().get(hierarchy);
            if (above != null) {
                steps.add(Step.write(above.resolve(called), write));
            }
        }
        return new CgroupPlan(
                steps,
                site.unifiedParent() != null,
                site.legacyParents().keySet().stream().map(Hierarchy::name).toList(),
                site.division().unenforced());
    }

    /**
     * Makes it.
     *
     * @throws IOException if it cannot be made or a limit not be set; then nothing is left of it
     */
    public Cgroup create() throws IOException {
        var site = site();
        String called = place.name != null ? place.name : Owner.ofThisProcess().name(NUMBERS.incrementAndGet());
        return Cgroup.create(site, called, wanted.all(), place.evacuate);
    }

    /**
     * Where a cgroup is made and what is written.
     *
     * @param unifiedParent null if version 2 takes no part
     */
    record Site(
            CgroupMounts mounts,
            Division division,
            @Nullable Path unifiedParent,
            SequencedMap<Hierarchy, Path> legacyParents) {}

    private Site site() throws IOException {
        var here = place.seen();
        var limits = wanted.all();
        Processors.check(limits, limits);
        var division = Division.of(here, limits, limits, wanted::isOnlyWished);
        Path unifiedParent = unifiedParent(here, division);
        Set<Hierarchy> hierarchies = new LinkedHashSet<>(division.legacyHierarchies(here));
        if (unifiedParent == null) {
            // Without version 2, these stop it and count its time.
            for (String controller : List.of("freezer", "cpuacct")) {
                here.legacyHierarchy(controller).ifPresent(hierarchies::add);
            }
        }
        @Nullable CgroupException first = null;
        var legacyParents = new LinkedHashMap<Hierarchy, Path>();
        for (var hierarchy : hierarchies) {
            try {
                legacyParents.put(hierarchy, Placement.parent(here, hierarchy, place.parent));
            } catch (CgroupException notOurs) {
                division.without(here, hierarchy, notOurs);
                first = first == null ? notOurs : first;
            }
        }
        if (unifiedParent == null && legacyParents.isEmpty()) {
            throw first != null
                    ? first
                    : new CgroupException(
                            Reason.MISSING_CONTROLLER,
                            "cgroup",
                            "this process sees no cgroup file system; mount one: mount -t cgroup2 none /sys/fs/cgroup",
                            null);
        }
        return new Site(here, division, unifiedParent, legacyParents);
    }

    private @Nullable Path unifiedParent(CgroupMounts here, Division division) throws IOException {
        var hierarchy = here.unifiedHierarchy();
        if (hierarchy.isEmpty()) {
            return null;
        }
        boolean needed = division.needsUnified() || here.layout().equals("unified");
        try {
            return Placement.parent(here, hierarchy.get(), needed ? place.parent : Optional.empty());
        } catch (CgroupException without) {
            if (here.layout().equals("unified")) {
                throw without;
            }
            // In a hybrid layout it is a convenience: to be born inside, and to be killed at once.
            division.withoutUnified(without);
            return null;
        }
    }
}
