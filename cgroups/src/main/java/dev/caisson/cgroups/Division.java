// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.CgroupPlan.Unenforced;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.hierarchy.Hierarchy;
import dev.caisson.cgroups.hierarchy.Whereabouts;
import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.spec.DeviceRules;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.v1.V1Writes;
import dev.caisson.cgroups.v2.V2Writes;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Limits divided between the versions: each controller is in one of them on a machine.
 *
 * @param unified what is written to files of version 2
 * @param legacy what is written to files of version 1
 * @param devices rules that become a program of version 2
 */
record Division(List<Write> unified, List<Write> legacy, Optional<DeviceRules> devices, List<Unenforced> unenforced) {

    /**
     * {@return who enforces what}
     *
     * @param limits those to set
     * @param all those and the ones that hold already
     * @param bestEffort whether limits that nobody can enforce are reported instead of refused
     */
    static Division of(CgroupMounts mounts, Limits limits, Limits all, boolean bestEffort) throws CgroupException {
        var division = new Division(new ArrayList<>(), new ArrayList<>(), devices(mounts, limits), new ArrayList<>());
        var ordered = new ArrayList<>(limits.all());
        if (mounts.legacyHierarchy("memory").isPresent() && !mounts.isUnified("memory")) {
            ordered.addAll(V1Writes.tied(limits, all));
        }
        ordered.removeIf(Limit.Unified.class::isInstance);
        // Raw values are the user's last word.
        limits.all().stream().filter(Limit.Unified.class::isInstance).forEach(ordered::add);
        for (var limit : ordered) {
            try {
                division.assign(mounts, limit, all);
            } catch (CgroupException unenforceable) {
                if (!bestEffort) {
                    throw unenforceable;
                }
                division.unenforced.add(new Unenforced(limit.option(), String.valueOf(unenforceable.getMessage())));
            }
        }
        return division;
    }

    private static Optional<DeviceRules> devices(CgroupMounts mounts, Limits limits) {
        return mounts.legacyHierarchy("devices").isPresent() || mounts.unified().isEmpty()
                ? Optional.empty()
                : limits.find(DeviceRules.class);
    }

    private void assign(CgroupMounts mounts, Limit limit, Limits all) throws CgroupException {
        String controller = limit.controller();
        String old = V1Writes.controller(controller);
        boolean ofEveryCgroup = controller.isEmpty() || limit instanceof DeviceRules;
        if (mounts.legacyHierarchy(old).isPresent() && !mounts.isUnified(controller)) {
            legacy.addAll(V1Writes.of(limit, all));
        } else if (mounts.isUnified(controller)
                || ofEveryCgroup && mounts.unified().isPresent()) {
            unified.addAll(V2Writes.of(limit));
        } else {
            throw new CgroupException(
                    Reason.MISSING_CONTROLLER,
                    limit.option(),
                    "no hierarchy here has the "
                            + (controller.isEmpty() ? "version 2 files" : controller + " controller") + "; "
                            + Whereabouts.of(controller, mounts),
                    null);
        }
    }

    /** {@return the controllers of version 2 that take part} */
    Set<String> unifiedControllers() {
        var all = new LinkedHashSet<String>();
        unified.forEach(w -> all.add(w.controller()));
        all.remove("");
        return all;
    }

    /** {@return the hierarchies of version 1 that take part} */
    Set<Hierarchy> legacyHierarchies(CgroupMounts mounts) {
        var all = new LinkedHashSet<Hierarchy>();
        legacy.forEach(w -> mounts.legacyHierarchy(w.controller()).ifPresent(all::add));
        return all;
    }

    /** {@return whether nothing can be done without version 2} */
    boolean needsUnified() {
        return !unified.isEmpty() || devices.isPresent();
    }
}
