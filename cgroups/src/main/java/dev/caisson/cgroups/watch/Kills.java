// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.watch;

import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.spec.OutOfMemory;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Kills of which only the number is known yet. */
public final class Kills {
    private Kills() {}

    /** {@return an event of them} */
    public static CgroupEvent event(long kills) {
        return new CgroupEvent.OutOfMemoryKill(
                kills,
                new OutOfMemory(
                        OutOfMemory.Scope.UNKNOWN,
                        Optional.empty(),
                        OptionalLong.empty(),
                        OptionalLong.empty(),
                        kills,
                        List.of()));
    }
}
