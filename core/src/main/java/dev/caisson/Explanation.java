// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.Plan.Actor;
import dev.caisson.Plan.Phase;
import dev.caisson.Plan.PlannedCall;
import dev.caisson.cgroups.CgroupPlan;
import dev.caisson.engine.Engine;
import dev.caisson.engine.ParentStep;
import dev.caisson.launch.LaunchTask;
import dev.caisson.launch.Root;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Step;
import dev.caisson.overlay.OverlayFallback;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Turns what the launch engine will do into a {@link Plan} for people. */
final class Explanation {
    private Explanation() {}

    static Plan of(Engine.Explained explained) {
        var plan = explained.plan();
        var phases = new ArrayList<Phase>();
        explained
                .cgroup()
                .ifPresent(made -> phases.add(new Phase(
                        "cgroup",
                        made.steps().stream()
                                .map(s -> new PlannedCall(Actor.PARENT, s.text(), s.purpose(), ""))
                                .toList())));
        explained.parent().stream()
                .filter(step -> !step.calls().isEmpty())
                .collect(Collectors.groupingBy(ParentStep::phase, LinkedHashMap::new, Collectors.toList()))
                .forEach((phase, steps) -> phases.add(new Phase(
                        phase, steps.stream().flatMap(Explanation::planned).toList())));
        boolean bornInside = explained.cgroup().filter(CgroupPlan::bornInside).isPresent();
        phases.add(new Phase(
                "clone",
                List.of(new PlannedCall(
                        Actor.PARENT,
                        Launcher.describe(plan.mode(), plan.flags(), bornInside),
                        "create the child" + (plan.flags() == 0 ? "" : " in its new namespaces") + ", "
                                + plan.mode().name().toLowerCase(Locale.ROOT) + " mode",
                        plan.flags() == 0 || plan.input().idMap().isPresent() ? "" : "CAP_SYS_ADMIN"))));
        String name = "";
        var calls = new ArrayList<PlannedCall>();
        for (Step step : plan.program().steps()) {
            if (!step.phase().equals(name)) {
                flush(phases, name, calls);
                name = step.phase();
            }
            calls.add(new PlannedCall(Actor.CHILD, step.toString(), step.purpose(), step.needs()));
            if (LaunchTask.WAIT_FOR_ID_MAPS.isOf(step)
                    && step.operation() instanceof Step.Invoke(var call, var _)
                    && call.syscall() == Syscall.READ) {
                plan.parent()
                        .forEach(text -> calls.add(new PlannedCall(Actor.PARENT, text, step.purpose(), step.needs())));
            }
        }
        flush(phases, name, calls);
        if (plan.input().spec().root().source() instanceof Root.Layers(var overlay)
                && !overlay.fallbacks().isEmpty()) {
            phases.add(new Phase(
                    "if the kernel refuses to merge the layers",
                    overlay.fallbacks().stream().map(Explanation::fallback).toList()));
        }
        return new Plan(phases, explained.missing(), explained.unenforced());
    }

    private static PlannedCall fallback(OverlayFallback way) {
        return switch (way) {
            case OverlayFallback.FuseOverlayfs _ ->
                new PlannedCall(Actor.PARENT, "fuse-overlayfs", "merge them by fuse-overlayfs(1)", "root");
            case OverlayFallback.Reflink r ->
                new PlannedCall(
                        Actor.PARENT,
                        "ioctl(FICLONE) of each file to " + HostPath.shown(r.directory()),
                        "else copy them, sharing blocks",
                        "");
            case OverlayFallback.Copy c ->
                new PlannedCall(
                        Actor.PARENT,
                        "copy_file_range of each file to " + HostPath.shown(c.directory()),
                        "else copy them",
                        "");
        };
    }

    private static Stream<PlannedCall> planned(ParentStep step) {
        return step.calls().stream().map(call -> new PlannedCall(Actor.PARENT, call, step.purpose(), step.needs()));
    }

    private static void flush(List<Phase> phases, String name, List<PlannedCall> calls) {
        if (!calls.isEmpty()) {
            phases.add(new Phase(name, calls));
            calls.clear();
        }
    }
}
