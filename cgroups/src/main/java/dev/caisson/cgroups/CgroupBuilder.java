// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.cgroups.CgroupPlan.Step;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.hierarchy.Hierarchy;
import dev.caisson.cgroups.hierarchy.Placement;
import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
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

    private final @Nullable CgroupMounts mounts;
    private final @Nullable String name;
    private final Optional<String> parent;
    private final Limits limits;
    private final boolean evacuate;
    private final boolean bestEffort;

    private CgroupBuilder(
            @Nullable CgroupMounts mounts,
            @Nullable String name,
            Optional<String> parent,
            Limits limits,
            boolean evacuate,
            boolean bestEffort) {
        this.mounts = mounts;
        this.name = name;
        this.parent = parent;
        this.limits = limits;
        this.evacuate = evacuate;
        this.bestEffort = bestEffort;
    }

    static CgroupBuilder of(@Nullable CgroupMounts mounts) {
        return new CgroupBuilder(mounts, null, Optional.empty(), Limits.none(), false, false);
    }

    /**
     * Names it; else it gets a name that tells which process made it, by which {@link Cgroup#removeLeftovers} recognises it.
     *
     * @throws IllegalArgumentException if it is not a single path element, or could be taken for a control file
     */
    public CgroupBuilder name(String cgroup) {
        return new CgroupBuilder(mounts, Placement.checkedName(cgroup), parent, limits, evacuate, bestEffort);
    }

    /**
     * The existing cgroup below which it is made, by its path from the mount point, such as {@code /machine.slice}; else that
     * is the root, or for an ordinary user the cgroup delegated to it.
     *
     * @throws IllegalArgumentException if the path is not absolute, or has {@code ..} in it
     */
    public CgroupBuilder parent(String path) {
        return new CgroupBuilder(mounts, name, Optional.of(Placement.checked(path)), limits, evacuate, bestEffort);
    }

    public CgroupBuilder limits(Limits all) {
        return new CgroupBuilder(mounts, name, parent, all, evacuate, bestEffort);
    }

    /**
     * Allows the processes of the parent, this JVM perhaps among them, to be moved to a leaf beside the new cgroup, if they
     * are in the way of the parent's controllers. They stay there.
     */
    public CgroupBuilder evacuate() {
        return new CgroupBuilder(mounts, name, parent, limits, true, bestEffort);
    }

    /** Reports limits that this machine has no controller or no file version for, instead of refusing them. */
    public CgroupBuilder bestEffort() {
        return new CgroupBuilder(mounts, name, parent, limits, evacuate, true);
    }

    /**
     * {@return what {@link #create} would do}
     *
     * @throws CgroupException if a limit cannot be enforced on this machine
     * @throws IllegalArgumentException if limits name more processors than there are
     */
    public CgroupPlan explain() throws IOException {
        var site = site();
        String called = name == null ? "<name>" : name;
        var steps = new ArrayList<Step>();
        if (site.unifiedParent() != null) {
            Path directory = site.unifiedParent().resolve(called);
            if (!site.division().unifiedControllers().isEmpty()) {
                steps.add(new Step(
                        "write(\"" + site.unifiedParent().resolve("cgroup.subtree_control") + "\", \"+"
                                + String.join(" +", site.division().unifiedControllers()) + "\")",
                        "bring the controllers down, from the top"));
            }
            steps.add(make(directory, "in version 2"));
            site.division().unified().forEach(w -> steps.add(write(directory, w)));
            site.division().devices().ifPresent(rules -> {
                steps.add(new Step(
                        "bpf(BPF_PROG_LOAD, {BPF_PROG_TYPE_CGROUP_DEVICE, "
                                + rules.rules().size() + " rules})",
                        "limit devices"));
                steps.add(new Step("bpf(BPF_PROG_ATTACH, {BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI})", "limit devices"));
            });
        }
        site.legacyParents()
                .forEach((hierarchy, above) ->
                        steps.add(make(above.resolve(called), "in hierarchy " + hierarchy.name() + " of version 1")));
        for (var write : site.division().legacy()) {
            var hierarchy = site.mounts().legacyHierarchy(write.controller()).orElseThrow();
            Path above = site.legacyParents().get(hierarchy);
            if (above != null) {
                steps.add(write(above.resolve(called), write));
            }
        }
        return new CgroupPlan(
                steps,
                site.unifiedParent() != null,
                site.legacyParents().keySet().stream().map(Hierarchy::name).toList(),
                site.division().unenforced());
    }

    private static Step make(Path directory, String where) {
        return new Step("mkdir(\"" + directory + "\", 0755)", "make the cgroup " + where);
    }

    private static Step write(Path directory, Write write) {
        return new Step(
                "write(\"" + directory.resolve(write.file()) + "\", \"" + write.value() + "\")",
                "limit " + write.option());
    }

    /**
     * Makes it.
     *
     * @throws IOException if it cannot be made or a limit not be set; then nothing is left of it
     */
    public Cgroup create() throws IOException {
        var site = site();
        String called = name != null ? name : Owner.ofThisProcess().name(NUMBERS.incrementAndGet());
        return Cgroup.create(site, called, limits, evacuate);
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
        var here = mounts != null ? mounts : CgroupMounts.ofThisProcess();
        Processors.check(limits, limits);
        var division = Division.of(here, limits, limits, bestEffort);
        Path unifiedParent = unifiedParent(here, division);
        Set<Hierarchy> hierarchies = new LinkedHashSet<>(division.legacyHierarchies(here));
        if (unifiedParent == null) {
            // Without version 2, these stop it and count its time.
            for (String controller : List.of("freezer", "cpuacct")) {
                here.legacyHierarchy(controller).ifPresent(hierarchies::add);
            }
        }
        var legacyParents = new LinkedHashMap<Hierarchy, Path>();
        for (var hierarchy : hierarchies) {
            legacyParents.put(hierarchy, Placement.parent(here, hierarchy, parent));
        }
        if (unifiedParent == null && legacyParents.isEmpty()) {
            throw new CgroupException(
                    Reason.MISSING_CONTROLLER,
                    "cgroup",
                    "this process sees no cgroup file system; mount one: mount -t cgroup2 none /sys/fs/cgroup",
                    null);
        }
        return new Site(here, division, unifiedParent, legacyParents);
    }

    private @Nullable Path unifiedParent(CgroupMounts here, Division division) throws CgroupException {
        var hierarchy = here.unifiedHierarchy();
        if (hierarchy.isEmpty()) {
            return null;
        }
        boolean needed = division.needsUnified() || here.layout().equals("unified");
        try {
            return Placement.parent(here, hierarchy.get(), needed ? parent : Optional.empty());
        } catch (CgroupException without) {
            if (needed) {
                throw without;
            }
            // In a hybrid layout it is a convenience: to be born inside, and to be killed at once.
            return null;
        }
    }
}
