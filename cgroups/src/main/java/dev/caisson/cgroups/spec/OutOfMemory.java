// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * What the out-of-memory killer did to a cgroup.
 *
 * @param scope whose limit it was
 * @param level the cgroup whose limit it was, by its path from the mount point; empty for {@link Scope#HOST} and
 *     {@link Scope#UNKNOWN}
 * @param limitBytes the limit (memory.max) of the level, if it is still to be read
 * @param peakBytes the most memory the level ever used, if it is still to be read
 * @param kills processes of the cgroup that were killed since it was made
 * @param victims those of them that the kernel's log tells of. It is read from {@code /dev/kmsg}, where this process may; it
 *     forgets, and skips what comes too fast, so that there may be fewer than {@code kills}
 */
public record OutOfMemory(
        Scope scope,
        Optional<String> level,
        OptionalLong limitBytes,
        OptionalLong peakBytes,
        long kills,
        List<Victim> victims) {

    public OutOfMemory {
        victims = List.copyOf(victims);
    }

    /** Whose limit it was. */
    public enum Scope {
        /** That of the cgroup itself. */
        OWN,
        /** That of a cgroup above, such as the {@code cgroupParent}. */
        ABOVE,
        /** That of a cgroup inside. */
        BELOW,
        /** No limit: the machine had no memory left. */
        HOST,
        /** Nothing tells. */
        UNKNOWN
    }

    /**
     * A process that was killed.
     *
     * @param pid as the kernel's log has it, which is the number in the host's own PID namespace
     * @param name as {@code ps} shows it; empty if only the number is known
     */
    public record Victim(long pid, Optional<String> name) {
        @Override
        public String toString() {
            return name.map(n -> n + " (pid " + pid + ")").orElse("pid " + pid);
        }
    }

    /** {@return a sentence} */
    @Override
    public String toString() {
        String who = victims.isEmpty()
                ? kills + (kills == 1 ? " process" : " processes")
                : victims.stream().map(Victim::toString).collect(Collectors.joining(", "));
        String limit = limitBytes.isPresent() ? " of " + limitBytes.getAsLong() + " bytes" : "";
        return "out of memory, killed " + who + ": "
                + switch (scope) {
                    case OWN -> "its own limit" + limit;
                    case ABOVE -> "the limit" + limit + " of " + level.orElse("a cgroup") + " above";
                    case BELOW -> "the limit" + limit + " of " + level.orElse("a cgroup") + " inside";
                    case HOST -> "the host had no memory left";
                    case UNKNOWN -> "whose limit it was is not known";
                };
    }
}
