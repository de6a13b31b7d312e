// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.CgroupPlan.Step;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.hierarchy.Hierarchy;
import dev.caisson.cgroups.hierarchy.Placement;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.v2.Subtree;
import dev.caisson.cgroups.v2.V2Driver;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Makes cgroups in a cgroup. */
final class CgroupChildren {
    private final CgroupMounts mounts;
    private final String parentName;
    private final CgroupDirectories parent;

    CgroupChildren(CgroupMounts mounts, String parentName, CgroupDirectories parent) {
        this.mounts = mounts;
        this.parentName = parentName;
        this.parent = parent;
    }

    /** {@return who enforces a child's limits} */
    Division division(String name, Limits limits) throws IOException {
        var _ = Placement.checkedName(name);
        Processors.check(limits, limits);
        return Division.of(mounts, limits, limits, _ -> false);
    }

    /** {@return what making a child would do} */
    CgroupPlan explain(String name, Limits limits) throws IOException {
        Processors.check(limits, limits);
        var division = Division.of(mounts, limits, limits, _ -> false);
        var steps = new ArrayList<Step>();
        var unified = parent.unified();
        if (unified != null) {
            Path above = unified.directories().getFirst();
            if (!division.unifiedControllers().isEmpty()) {
                steps.add(Step.bringDown(above, division.unifiedControllers()));
            }
            steps.add(Step.make(above.resolve(name), "in version 2"));
            division.unified().forEach(write -> steps.add(Step.write(above.resolve(name), write)));
        }
        var legacy = parent.legacyDirectories(mounts);
        for (var hierarchy : division.legacyHierarchies(mounts)) {
            if (!legacy.containsKey(hierarchy)) {
                Path above =
                        Placement.parent(mounts, hierarchy, Optional.empty()).resolve(parentName);
                steps.add(Step.make(above, "of the parent in hierarchy " + hierarchy.name() + " of version 1"));
                legacy.put(hierarchy, above);
            }
        }
        legacy.forEach((hierarchy, above) ->
                steps.add(Step.make(above.resolve(name), "in hierarchy " + hierarchy.name() + " of version 1")));
        for (var write : division.legacy()) {
            var above = legacy.get(mounts.legacyHierarchy(write.controller()).orElseThrow());
            if (above != null) {
                steps.add(Step.write(above.resolve(name), write));
            }
        }
        return new CgroupPlan(
                steps,
                unified != null,
                legacy.keySet().stream().map(Hierarchy::name).toList(),
                List.of());
    }

    /** {@return the directories of the parent, in the hierarchies a child requires; all its processes are in them} */
    CgroupDirectories join(Division division) throws IOException {
        var joining = Joining.begin(mounts, parentName, parent, division.legacyHierarchies(mounts));
        try {
            joining.moveAll();
            return joining.directories();
        } catch (IOException | RuntimeException | Error failed) {
            joining.undo(failed);
            throw failed;
        }
    }

    /** {@return a child's directories, with its limits; nothing is left of it if that fails} */
    CgroupDirectories make(String name, Division division, boolean threaded) throws IOException {
        @Nullable V2Driver below = null;
        var made = new LinkedHashMap<Hierarchy, Path>();
        try {
            var unified = parent.unified();
            if (unified != null) {
                Path above = unified.directories().getFirst();
                Path top = mounts.unified().orElseThrow();
                if (threaded) {
                    below = threaded(above.resolve(name));
                    Subtree.enable(top, above, division.unifiedControllers(), false);
                } else {
                    Subtree.enable(top, above, division.unifiedControllers(), true);
                    CgroupDirectories.make(above.resolve(name));
                    below = new V2Driver(above.resolve(name), mounts.unifiedControllers());
                }
                CgroupDirectories.limit(below, division);
            }
            CgroupDirectories.makeLegacy(parent.legacyDirectories(mounts), name, made);
            var legacyBelow = CgroupDirectories.driver(made);
            if (legacyBelow != null) {
                legacyBelow.write(division.legacy(), division.writing());
            }
            return new CgroupDirectories(below, legacyBelow);
        } catch (IOException | RuntimeException | Error failed) {
            CgroupDirectories.undo(failed, below, made);
            throw failed;
        }
    }

    private V2Driver threaded(Path directory) throws IOException {
        CgroupDirectories.make(directory);
        var driver = new V2Driver(directory, mounts.unifiedControllers());
        try {
            driver.makeThreaded();
            return driver;
        } catch (CgroupException refused) {
            driver.remove();
            throw refused;
        }
    }
}
