// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.overlay.OverlayMount;
import dev.caisson.overlay.store.Branch;
import dev.caisson.overlay.store.LayerLease;
import dev.caisson.process.LiveProcess;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A launched command and what belongs to it.
 *
 * @param cgroup its own, if it has one
 * @param entrance by which further commands come in
 * @param files if its root is kept for the sake of its files
 * @param use of the branch it is on
 * @param fallback by which its layers were merged where the kernel refused
 * @param unenforced what of a preset this host cannot enforce, each with the reason
 */
public record Started(
        LiveProcess process,
        @Nullable ContainerCgroup cgroup,
        Entrance entrance,
        @Nullable KeptFiles files,
        Branch.@Nullable Use use,
        @Nullable OverlayMount fallback,
        LayerLease lease,
        List<String> unenforced) {}
