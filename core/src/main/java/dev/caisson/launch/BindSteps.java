// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Mount.Option;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Bind mounts. Their sources are copied before anything else is mounted: by then paths still mean what they mean on the
 * host, and mounts that shall receive the host's events are still connected to it.
 */
final class BindSteps {
    private final MountCalls mounts;
    private final SyscallProgram.Builder program;
    private final Map<Mount.Bind, Arg> clones = new HashMap<>();

    BindSteps(MountCalls mounts, SyscallProgram.Builder program) {
        this.mounts = mounts;
        this.program = program;
    }

    void cloneSources(List<Mount> all) {
        for (var mount : all) {
            if (mount instanceof Mount.Bind bind) {
                program.purpose("take " + bind.source() + " of the host", "CAP_SYS_ADMIN");
                boolean recursive = !bind.options().contains(Option.NOT_RECURSIVE);
                var clone = mounts.cloneOfHostPath(
                        bind.source().toString(), bind.source().toString(), recursive);
                mounts.setAttributes(clone, attributes(bind.options()), propagation(bind.options()), recursive);
                clones.put(bind, clone);
            }
        }
    }

    Arg cloneOf(Mount.Bind bind) {
        var clone = clones.get(bind);
        if (clone == null) {
            throw new IllegalStateException("the source of " + bind + " was not copied");
        }
        return clone;
    }

    static long attributes(Set<Option> options) {
        long attributes = 0;
        for (var option : options) {
            attributes |= switch (option) {
                case READ_ONLY -> MountCalls.RDONLY;
                case NO_SUID -> MountCalls.NOSUID;
                case NO_DEVICES -> MountCalls.NODEV;
                case NO_EXEC -> MountCalls.NOEXEC;
                case MAKE_SOURCE, NOT_RECURSIVE, PRIVATE, SLAVE, SHARED -> 0;
            };
        }
        return attributes;
    }

    private static long propagation(Set<Option> options) {
        if (options.contains(Option.SHARED)) {
            return MountCalls.SHARED;
        }
        return options.contains(Option.SLAVE) ? MountCalls.SLAVE : MountCalls.PRIVATE;
    }
}
