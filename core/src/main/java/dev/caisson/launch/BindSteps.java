// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Mount.Option;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
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
                // A device is read and written on a read-only mount, too; its mode and owner are the host's.
                long attributes = isDevice(bind.source())
                        ? attributes(bind.options()) & ~MountCalls.NODEV | MountCalls.RDONLY
                        : attributes(bind.options());
                mounts.setAttributes(clone, attributes, propagation(bind.options()), recursive);
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

    private static boolean isDevice(Path source) {
        try {
            return Files.readAttributes(source, BasicFileAttributes.class).isOther();
        } catch (IOException missing) {
            return false; // open_tree(2) will say what is wrong with it.
        }
    }

    static long attributes(Set<Option> options) {
        long attributes = MountCalls.NODEV;
        for (var option : options) {
            attributes = switch (option) {
                case READ_ONLY -> attributes | MountCalls.RDONLY;
                case NO_SUID -> attributes | MountCalls.NOSUID;
                case DEVICES -> attributes & ~MountCalls.NODEV;
                case NO_EXEC -> attributes | MountCalls.NOEXEC;
                case MAKE_SOURCE, NOT_RECURSIVE, PRIVATE, SLAVE, SHARED -> attributes;
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
