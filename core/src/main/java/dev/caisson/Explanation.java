// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.Plan.Actor;
import dev.caisson.Plan.Phase;
import dev.caisson.Plan.PlannedCall;
import dev.caisson.cgroups.CgroupPlan;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.LaunchTask;
import dev.caisson.launch.Root;
import dev.caisson.linux.Feature;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Step;
import dev.caisson.overlay.OverlayFallback;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Turns what the launch engine will do into a {@link Plan} for people. */
final class Explanation {
    private Explanation() {}

    static Plan of(LaunchPlan plan, Optional<CgroupPlan> cgroup, List<Feature> missing, List<String> unenforced) {
        var phases = new ArrayList<Phase>();
        cgroup.ifPresent(made -> phases.add(new Phase(
                "cgroup",
                made.steps().stream()
                        .map(s -> new PlannedCall(Actor.PARENT, s.text(), s.purpose(), ""))
                        .toList())));
        if (plan.input().spec().root().source() instanceof Root.Layers(var overlay)) {
            overlay.upper()
                    .ifPresent(upper -> phases.add(new Phase(
                            "writable layer",
                            List.of(
                                    parent("mkdir(\"" + upper.directory() + "\", 0755)"),
                                    parent("mkdir(\"" + upper.work() + "\", 0700)")))));
        }
        phases.add(new Phase(
                "clone",
                List.of(new PlannedCall(
                        Actor.PARENT,
                        Launcher.describe(
                                plan.mode(),
                                plan.flags(),
                                cgroup.isPresent() && cgroup.get().bornInside()),
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
        return new Plan(phases, missing, unenforced);
    }

    private static PlannedCall fallback(OverlayFallback way) {
        return switch (way) {
            case OverlayFallback.FuseOverlayfs _ ->
                new PlannedCall(Actor.PARENT, "fuse-overlayfs", "merge them by fuse-overlayfs(1)", "root");
            case OverlayFallback.Reflink r ->
                new PlannedCall(
                        Actor.PARENT,
                        "ioctl(FICLONE) of each file to " + r.directory(),
                        "else copy them, sharing blocks",
                        "");
            case OverlayFallback.Copy c ->
                new PlannedCall(Actor.PARENT, "copy_file_range of each file to " + c.directory(), "else copy them", "");
        };
    }

    private static PlannedCall parent(String call) {
        return new PlannedCall(
                Actor.PARENT, call, "make the directories of the writable layer if they are missing", "");
    }

    private static void flush(List<Phase> phases, String name, List<PlannedCall> calls) {
        if (!calls.isEmpty()) {
            phases.add(new Phase(name, calls));
            calls.clear();
        }
    }
}
