// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.HostFacts;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Root;
import dev.caisson.overlay.OverlayMount;
import dev.caisson.overlay.tree.SafeTree;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What is done where the kernel refused to merge a container's layers in its launch, and the caller named fallbacks. The launch
 * itself is the trial: it is as exact as can be, and one that works pays nothing.
 */
final class RootFallback {
    private RootFallback() {}

    /** {@return whether something else may be tried where the layers of a launch were refused} */
    static boolean isFor(LaunchPlan plan) {
        return plan.input().spec().root().source() instanceof Root.Layers(var overlay)
                && !overlay.fallbacks().isEmpty();
    }

    /** {@return the layers, merged otherwise} */
    static OverlayMount take(LaunchPlan plan, LaunchException refusal, Optional<SafeTree.Owner> owner)
            throws IOException {
        if (!(plan.input().spec().root().source() instanceof Root.Layers(var overlay))) {
            throw new AssertionError(plan.input().spec().root().source());
        }
        try {
            return overlay.rootByFallback(
                    refusal, owner.map(o -> OptionalLong.of(o.uid())).orElse(OptionalLong.empty()));
        } catch (IOException none) {
            throw new LaunchException(String.valueOf(none.getMessage()), refusal.step(), none);
        }
    }

    /** {@return the container with that as its root} */
    static ContainerSpec applied(ContainerSpec spec, OverlayMount merged, HostFacts host) {
        return spec.root(r -> r.withMerged(
                new Root.Merged(merged.overlay(), host.isPrivileged() ? Optional.empty() : merged.copy())));
    }
}
