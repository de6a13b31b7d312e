// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.Plan.Actor;
import dev.caisson.Plan.Phase;
import dev.caisson.Plan.PlannedCall;
import dev.caisson.cgroups.file.Write;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.linux.Feature;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Step;
import java.util.ArrayList;
import java.util.List;

/** Turns what the launch engine will do into a {@link Plan} for people. */
final class Explanation {
    private Explanation() {}

    static Plan of(LaunchPlan plan, List<Write> cgroup, List<Feature> missing) {
        var phases = new ArrayList<Phase>();
        if (!cgroup.isEmpty()) {
            phases.add(new Phase(
                    "cgroup",
                    cgroup.stream()
                            .map(w -> new PlannedCall(
                                    Actor.PARENT,
                                    "write(\"" + w.file() + "\", \"" + w.value() + "\")",
                                    "limit " + w.option(),
                                    "the " + w.controller() + " controller"))
                            .toList()));
        }
        phases.add(new Phase(
                "clone",
                List.of(new PlannedCall(
                        Actor.PARENT,
                        Launcher.describe(plan.flags(), false),
                        "create the child" + (plan.flags() == 0 ? "" : " in its new namespaces") + ", "
                                + plan.mode().name().toLowerCase(java.util.Locale.ROOT) + " mode",
                        plan.flags() == 0 || plan.input().idMap().isPresent() ? "" : "CAP_SYS_ADMIN"))));
        String name = "";
        var calls = new ArrayList<PlannedCall>();
        for (Step step : plan.program().steps()) {
            if (!step.phase().equals(name)) {
                flush(phases, name, calls);
                name = step.phase();
            }
            calls.add(new PlannedCall(Actor.CHILD, step.toString(), step.purpose(), step.needs()));
            if (step.purpose().startsWith("wait for the id maps")
                    && step.result().equals("answered")) {
                plan.parent()
                        .forEach(text -> calls.add(new PlannedCall(Actor.PARENT, text, step.purpose(), step.needs())));
            }
        }
        flush(phases, name, calls);
        return new Plan(phases, missing);
    }

    private static void flush(List<Phase> phases, String name, List<PlannedCall> calls) {
        if (!calls.isEmpty()) {
            phases.add(new Phase(name, calls));
            calls.clear();
        }
    }
}
