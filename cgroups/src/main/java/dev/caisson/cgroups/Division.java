// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.CgroupPlan.Unenforced;
import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.file.Writing;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.hierarchy.Hierarchy;
import dev.caisson.cgroups.hierarchy.Whereabouts;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.spec.DeviceRules;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.v1.V1Writes;
import dev.caisson.cgroups.v2.V2Writes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Limits divided between the versions: each controller is in one of them on a machine.
 *
 * @param unified what is written to files of version 2
 * @param legacy what is written to files of version 1
 * @param devices rules that become a program of version 2
 * @param wished options of limits that are reported instead of refused where they cannot be enforced
 * @param unenforced those of them that are known to be so; grows while the cgroup is made
 */
record Division(
        List<Write> unified,
        List<Write> legacy,
        Optional<DeviceRules> devices,
        Set<String> wished,
        List<Unenforced> unenforced) {

    /**
     * {@return who enforces what}
     *
     * @param limits those to set
     * @param all those and the ones that hold already
     * @param wished the limits that are reported instead of refused where nobody can enforce them
     */
    static Division of(CgroupMounts mounts, Limits limits, Limits all, Predicate<Limit> wished) throws CgroupException {
        var ordered = new ArrayList<>(limits.all());
        if (mounts.legacyHierarchy("memory").isPresent() && !mounts.isUnified("memory")) {
            ordered.addAll(V1Writes.tied(limits, all));
        }
        var raw = new ArrayList<Limit>();
        for (var limit : limits.all()) {
            if (limit instanceof Limit.Unified) {
                raw.add(limit);
            }
        }
        // The user's last word.
        ordered.removeAll(raw);
        ordered.addAll(raw);
        var options = new HashSet<String>();
        var required = new HashSet<String>();
        for (var limit : ordered) {
            (wished.test(limit) ? options : required).add(limit.option());
        }
        options.removeAll(required);
        var division =
                new Division(new ArrayList<>(), new ArrayList<>(), devices(mounts, limits), options, new ArrayList<>());
        for (var limit : ordered) {
            try {
                division.assign(mounts, limit, all);
            } catch (CgroupException unenforceable) {
                division.refused(limit.option(), unenforceable);
            }
        }
        return division;
    }

    /**
     * Reports that a limit cannot be enforced.
     *
     * @throws CgroupException that very one, if the limit is not only wished for
     */
    void refused(String option, CgroupException why) throws CgroupException {
        if (!wished.contains(option) || why.reason() == Reason.VANISHED) {
            throw why;
        }
        String message = String.valueOf(why.getMessage());
        unenforced.add(new Unenforced(option, message.startsWith(option + ": ") ? message : option + ": " + message));
    }

    /** {@return how values are written: those of limits that are only wished for may be refused} */
    Writing writing() {
        return Writing.into((write, why) -> refused(write.option(), why));
    }

    /** Does without a hierarchy of version 1, and reports what would be written there. */
    void without(CgroupMounts mounts, Hierarchy hierarchy, CgroupException why) throws CgroupException {
        drop(
                legacy,
                w -> mounts.legacyHierarchy(w.controller())
                        .filter(hierarchy::equals)
                        .isPresent(),
                why);
    }

    /** Does without version 2, and reports what would be written there. */
    void withoutUnified(CgroupException why) throws CgroupException {
        drop(unified, _ -> true, why);
        if (devices.isPresent()) {
            refused(devices.get().option(), why);
        }
    }

    /** Does without a controller of version 2, and reports what would be written to its files. */
    void withoutController(String controller, CgroupException why) throws CgroupException {
        drop(unified, w -> w.controller().equals(controller), why);
    }

    /** {@return controllers of version 2 that are only there for limits that are wished for} */
    Set<String> wishedControllers() {
        var only = unifiedControllers();
        for (var write : unified) {
            if (!wished.contains(write.option())) {
                only.remove(write.controller());
            }
        }
        return only;
    }

    private void drop(List<Write> from, Predicate<Write> which, CgroupException why) throws CgroupException {
        var dropped = from.stream().filter(which).toList();
        var reported = new HashSet<String>();
        for (var write : dropped) {
            if (reported.add(write.option())) {
                refused(write.option(), why);
            }
        }
        from.removeAll(dropped);
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
        for (var write : unified) {
            all.add(write.controller());
        }
        all.remove("");
        return all;
    }

    /** {@return the hierarchies of version 1 that take part} */
    Set<Hierarchy> legacyHierarchies(CgroupMounts mounts) {
        var all = new LinkedHashSet<Hierarchy>();
        for (var write : legacy) {
            var hierarchy = mounts.legacyHierarchy(write.controller());
            if (hierarchy.isPresent()) {
                all.add(hierarchy.get());
            }
        }
        return all;
    }

    /** {@return whether nothing can be done without version 2} */
    boolean needsUnified() {
        return !unified.isEmpty() || devices.isPresent();
    }
}
