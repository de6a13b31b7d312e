// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.file.ControlFile;
import dev.caisson.cgroups.file.FormerValues;
import dev.caisson.cgroups.file.Writing;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.v2.Subtree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/** Changes limits of a cgroup that is in use: all of them, or none. */
final class Update {
    private final CgroupMounts mounts;
    private final String name;
    private final CgroupDirectories before;

    Update(CgroupMounts mounts, String name, CgroupDirectories before) {
        this.mounts = mounts;
        this.name = name;
        this.before = before;
    }

    /**
     * Changes them.
     *
     * @param all those that change and those that hold already
     * @return the directories the cgroup has then
     */
    CgroupDirectories run(Limits changed, Limits all) throws IOException {
        Processors.check(changed, all);
        var division = Division.of(mounts, changed, all, _ -> false);
        refuseBelowUsage(changed);
        var joining = Joining.begin(mounts, name, before, division.legacyHierarchies(mounts));
        var former = new FormerValues();
        var writing = Writing.over(former);
        try {
            var after = joining.directories();
            writeUnified(division, writing);
            if (after.legacy() != null) {
                after.legacy().write(division.legacy(), writing);
            }
            joining.moveAll();
            // Last, because in one step it holds or the one before it does.
            if (division.devices().isPresent() && after.unified() != null) {
                after.unified().restrict(division.devices().get());
            }
            return after;
        } catch (IOException | RuntimeException | Error refused) {
            former.restore(refused);
            joining.undo(refused);
            throw refused;
        }
    }

    private void writeUnified(Division division, Writing writing) throws IOException {
        if (!division.needsUnified()) {
            return;
        }
        var unified = before.unified();
        if (unified == null) {
            throw new CgroupException(
                    Reason.NOT_DELEGATED,
                    "cgroup",
                    "this cgroup has no part in version 2, where " + division.unified() + " would be written",
                    null);
        }
        Path directory = unified.directories().getFirst();
        Subtree.enable(
                mounts.unified().orElseThrow(),
                Objects.requireNonNull(directory.getParent()),
                division.unifiedControllers(),
                false);
        unified.write(division.unified(), writing);
    }

    private void refuseBelowUsage(Limits changed) throws IOException {
        var max = changed.memoryMax();
        var memory = memoryDirectory();
        if (max.isEmpty() || memory.isEmpty() || !Files.exists(memory.get().resolve("memory.current"))) {
            return; // Version 1 refuses by itself.
        }
        long used = Long.parseLong(ControlFile.read(memory.get().resolve("memory.current")));
        if (max.getAsLong() < used) {
            throw new CgroupException(
                    Reason.BELOW_USAGE,
                    "memoryMax",
                    max.getAsLong() + " bytes is less than the " + used + " in use, and would kill; lower memoryHigh"
                            + " first, or insist with unified(\"memory.max\", ...)",
                    null);
        }
    }

    private Optional<Path> memoryDirectory() {
        var unified = before.unified();
        return unified == null ? Optional.empty() : unified.directory("memory");
    }
}
