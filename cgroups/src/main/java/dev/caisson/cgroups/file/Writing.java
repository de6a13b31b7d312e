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
    private final @Nullable FormerValues former;
    private final Refused refused;

    /** Hears of a value that was not written. */
    @FunctionalInterface
    public interface Refused {
        /** Takes note, or throws: then nothing more is written. */
        void take(Write write, CgroupException why) throws CgroupException;
    }

    private Writing(@Nullable FormerValues former, Refused refused) {
        this.former = former;
        this.refused = refused;
    }

    /** {@return one that ends at the first refusal, and has all values remembered that files had before} */
    public static Writing over(FormerValues former) {
        return new Writing(former, (_, why) -> {
            throw why;
        });
    }

    /** {@return one that goes on after refusals that somebody takes} */
    public static Writing into(Refused refused) {
        return new Writing(null, refused);
    }

    /** Writes one value. */
    public static void of(Write write, Path directory) throws CgroupException {
        into((_, why) -> {
                    throw why;
                })
                .all(List.of(write), _ -> directory);
    }

    /**
     * Writes all of them.
     *
     * @param directory that a write's controller has its files in
     */
    public void all(List<Write> writes, Function<Write, Path> directory) throws CgroupException {
        var again = new ArrayList<Write>();
        for (var write : writes) {
            if (!attempt(write, directory.apply(write), true)) {
                again.add(write);
            }
        }
        for (var write : again) {
            var _ = attempt(write, directory.apply(write), false);
        }
    }

    private boolean attempt(Write write, Path directory, boolean first) throws CgroupException {
        Path file = directory.resolve(write.file());
        if (former != null) {
            former.remember(write, directory);
        }
        try {
            ControlFile.write(file, write.value());
            return true;
        } catch (LinuxException no) {
            var otherwise = write.otherwise();
            if (no.errno().equals(Errno.ENOENT) && otherwise != null) {
                return attempt(otherwise, directory, first);
            }
            if (no.errno().equals(Errno.EINVAL) && first) {
                return false;
            }
            refused.take(write, Refusal.ofWrite(write, file, no));
            return true;
        }
    }
}
