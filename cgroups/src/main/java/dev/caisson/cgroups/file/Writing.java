// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.file;

import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes values into the files of a cgroup. Some bound each other, as memory and memory with swap, quota and burst, so that
 * whether one or the other comes first depends on what is there: a value that the kernel finds invalid is tried once more
 * after all others.
 */
public final class Writing {
    private Writing() {}

    /**
     * Writes all of them.
     *
     * @param directory that a write's controller has its files in
     * @param former is told of each file before it is written; null where nothing is to be restored
     */
    public static void of(List<Write> writes, Function<Write, Path> directory, @Nullable FormerValues former)
            throws CgroupException {
        var again = new ArrayList<Write>();
        for (var write : writes) {
            if (!attempt(write, directory.apply(write), former, true)) {
                again.add(write);
            }
        }
        for (var write : again) {
            var _ = attempt(write, directory.apply(write), former, false);
        }
    }

    /** Writes one value. */
    public static void of(Write write, Path directory) throws CgroupException {
        of(List.of(write), _ -> directory, null);
    }

    private static boolean attempt(Write write, Path directory, @Nullable FormerValues former, boolean first)
            throws CgroupException {
        Path file = directory.resolve(write.file());
        if (former != null) {
            former.remember(write, directory);
        }
        try {
            ControlFile.write(file, write.value());
            return true;
        } catch (LinuxException refused) {
            var otherwise = write.otherwise();
            if (refused.errno().equals(Errno.ENOENT) && otherwise != null) {
                return attempt(otherwise, directory, former, first);
            }
            if (refused.errno().equals(Errno.EINVAL) && first) {
                return false;
            }
            throw Refusal.ofWrite(write, file, refused);
        }
    }
}
