// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.spec.Mount;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.OptionalLong;

/**
 * How much of the host's memory the file systems of a container may hold by a preset: the writable layer an eighth, each
 * tmpfs a sixteenth. What somebody gave a size keeps it. Without this tmpfs takes half of the memory, each one.
 */
final class MemoryShares {
    private static final long LAYER = 8;
    private static final long TMPFS = 16;

    private MemoryShares() {}

    /** {@return a description in which the preset's mounts are among the others, and sizes are set} */
    static ContainerSpec applied(ContainerSpec spec, HostFacts host) {
        var root = spec.root();
        if (root.presetMounts().isEmpty() && !root.forUntrusted()) {
            return spec;
        }
        var targets = new HashSet<String>();
        root.mounts().forEach(mount -> targets.add(mount.target()));
        var mounts = new ArrayList<Mount>();
        for (var preset : root.presetMounts()) {
            if (targets.add(preset.target())) {
                mounts.add(preset instanceof Mount.Tmpfs tmpfs ? atMost(tmpfs, host.memory() / TMPFS) : preset);
            }
        }
        for (var mount : root.mounts()) {
            boolean unsized = mount instanceof Mount.Tmpfs t && t.size().isEmpty();
            mounts.add(unsized ? atMost((Mount.Tmpfs) mount, host.memory() / TMPFS) : mount);
        }
        boolean inMemory = !root.lower().isEmpty()
                && root.upper().isEmpty()
                && root.upperSize().isEmpty();
        return spec.root(r -> r.withPresetMounts()
                .withMounts(mounts)
                .withUpperSize(
                        inMemory && host.memory() > LAYER ? OptionalLong.of(host.memory() / LAYER) : root.upperSize()));
    }

    private static Mount.Tmpfs atMost(Mount.Tmpfs tmpfs, long bytes) {
        long size = Math.max(1, Math.min(tmpfs.size().orElse(Long.MAX_VALUE), bytes));
        return new Mount.Tmpfs(tmpfs.target(), OptionalLong.of(size), tmpfs.mode(), tmpfs.options());
    }
}
