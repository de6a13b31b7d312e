// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.oom.OutOfMemoryCause;
import dev.caisson.cgroups.spec.OutOfMemory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the out-of-memory killer did to a cgroup, remembered beyond its removal. Thread-safe. */
final class Kills {
    private final CgroupMounts mounts;
    private @Nullable OutOfMemoryCause cause;
    private @Nullable OutOfMemory last;

    Kills(CgroupMounts mounts) {
        this.mounts = mounts;
    }

    /** Watches from now on, if that was not possible yet and these directories are in a hierarchy that counts memory. */
    synchronized void watch(CgroupDirectories parts) throws IOException {
        if (cause == null) {
            cause = cause(mounts, parts);
        }
    }

    private static @Nullable OutOfMemoryCause cause(CgroupMounts mounts, CgroupDirectories parts) throws IOException {
        if (parts.unified() != null && mounts.isUnified("memory")) {
            return OutOfMemoryCause.of(
                    new dev.caisson.cgroups.v2.MemoryLevels(),
                    mounts.unifiedHierarchy().orElseThrow(),
                    parts.unified().directories().getFirst());
        }
        var hierarchy = mounts.legacyHierarchy("memory");
        var directory =
                parts.legacy() == null ? Optional.<Path>empty() : parts.legacy().directory("memory");
        return hierarchy.isEmpty() || directory.isEmpty()
                ? null
                : OutOfMemoryCause.of(new dev.caisson.cgroups.v1.MemoryLevels(), hierarchy.get(), directory.get());
    }

    /**
     * {@return what happened until now, if anything did}
     *
     * @param removed whether the cgroup is gone, so that only what is known already can be told
     */
    Optional<OutOfMemory> find(boolean removed) throws IOException {
        OutOfMemoryCause finder;
        synchronized (this) {
            if (removed || cause == null) {
                return Optional.ofNullable(last);
            }
            finder = cause;
        }
        // Not under the lock: to read the kernel's log takes its time.
        var found = finder.find();
        synchronized (this) {
            if (found.isPresent()) {
                last = found.get();
            }
            return Optional.ofNullable(last);
        }
    }

    /** {@return what happened, without the kernel's log} */
    Optional<OutOfMemory> findByCounters() throws IOException {
        OutOfMemoryCause finder;
        synchronized (this) {
            finder = cause;
        }
        return finder == null ? Optional.empty() : finder.findByCounters();
    }
}
