// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.child.Step;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.AtFlags;
import dev.caisson.linux.flag.FileTypes;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Mount.Option;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Bind mounts. Their sources are copied before anything else is mounted: by then paths still mean what they mean on the
 * host, and mounts that shall receive the host's events are still connected to it.
 *
 * <p>A source is opened once, and what it is is asked of that descriptor: who may write to the directory above could else
 * exchange it, between a look and the copy, for one that gets more than it should, such as a device for a directory of them.
 */
final class BindSteps {
    private static final int STATUS_SIZE = 256;
    private static final int MODE_AT = 28;

    private final MountCalls mounts;
    private final SyscallProgram.Builder program;
    private final Map<Mount.Bind, Arg> clones = new HashMap<>();
    private final Map<Path, SourceKind> kinds;

    BindSteps(Map<Path, SourceKind> kinds, MountCalls mounts, SyscallProgram.Builder program) {
        this.kinds = kinds;
        this.mounts = mounts;
        this.program = program;
    }

    void cloneSources(List<Mount> all) {
        for (var mount : all) {
            if (mount instanceof Mount.Bind bind) {
                var kind = kindOf(bind);
                program.purpose("take " + HostPath.shown(bind.source()) + " of the host", "CAP_SYS_ADMIN");
                var source = mounts.open(HostPath.of(bind.source()), kind == SourceKind.DIRECTORY);
                if (kind != SourceKind.DIRECTORY) {
                    check(source, kind);
                }
                boolean recursive = !bind.options().contains(Option.NOT_RECURSIVE);
                var clone = mounts.cloneOf(HostPath.of(bind.source()), source, "", recursive);
                // A device is read and written on a read-only mount, too; its mode and owner are the host's.
                long attributes = kind == SourceKind.DEVICE
                        ? attributes(bind.options()) & ~MountCalls.NODEV | MountCalls.RDONLY
                        : attributes(bind.options());
                mounts.setAttributes(clone, attributes, propagation(bind.options()), recursive);
                clones.put(bind, clone);
            }
        }
    }

    private void check(Arg source, SourceKind kind) {
        var status = Arg.buffer("status", STATUS_SIZE);
        var right = program.label();
        var wrong = program.label();
        program.task(LaunchTask.CHECK_SOURCE);
        program.call(
                Syscall.STATX, source, text(""), AtFlags.of(AtFlags.AT_EMPTY_PATH), named(1, "STATX_TYPE"), status);
        var mode = program.load("mode", Step.Width.INT, program.sum("mode field", status, of(MODE_AT)));
        if (kind == SourceKind.DEVICE) {
            // Both kinds of devices have this bit; so has a link, which has been followed.
            program.branch(Step.Condition.ANY_BIT, mode, named(0100000, "S_IFREG"), wrong);
            program.branch(Step.Condition.ANY_BIT, mode, named(SourceKind.CHARACTER_DEVICE, "S_IFCHR"), right);
        } else {
            program.branch(
                    Step.Condition.ANY_BIT,
                    mode,
                    named(FileTypes.S_IFREG | FileTypes.S_IFCHR | FileTypes.S_IFIFO, "S_IFREG|S_IFCHR|S_IFIFO"),
                    right);
        }
        program.bind(wrong);
        program.fail(named(Errno.ESTALE.code(), "ESTALE"));
        program.bind(right);
    }

    Arg cloneOf(Mount.Bind bind) {
        var clone = clones.get(bind);
        if (clone == null) {
            throw new IllegalStateException("the source of " + bind + " was not copied");
        }
        return clone;
    }

    private SourceKind kindOf(Mount.Bind bind) {
        return kinds.getOrDefault(bind.source(), SourceKind.DIRECTORY);
    }

    boolean isDirectory(Mount.Bind bind) {
        return kindOf(bind) == SourceKind.DIRECTORY;
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
