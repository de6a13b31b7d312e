// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.octal;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.Label;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.FileTypes;

/** A root made of the host's top-level entries: see {@link HostTree} for why. */
final class HostTreeSteps {
    private static final String ROOT = "root";

    private final SyscallProgram.Builder program;
    private final MountCalls mounts;
    private final OverlayStep overlay;
    private int overlays;

    /** Mounts one overlay of a host directory with an upper and a work directory in the workshop. */
    interface OverlayStep {
        Arg mount(String lower, String upper, String work);
    }

    HostTreeSteps(SyscallProgram.Builder program, MountCalls mounts, OverlayStep overlay) {
        this.program = program;
        this.mounts = mounts;
        this.overlay = overlay;
    }

    /** {@return the mount that becomes the root, parked} */
    Arg plan(HostTree tree, Arg workshop) {
        program.purpose("make a root of the host's directories, one overlay each", "Linux 5.11");
        program.call(Syscall.MKDIRAT, workshop, text(ROOT), octal(0755));
        var root = mounts.cloneOf(ROOT, workshop, ROOT, false);
        mounts.park(root);
        program.call(Syscall.FCHDIR, workshop);
        for (var entry : tree.entries()) {
            plan(entry, root, workshop);
        }
        return root;
    }

    private void plan(HostTree.Entry entry, Arg root, Arg workshop) {
        String host = "/" + entry.name();
        program.purpose(
                "show the host's " + host + " (" + entry.kind().name().toLowerCase(java.util.Locale.ROOT) + ")");
        switch (entry.kind()) {
            case SYMLINK -> program.call(Syscall.SYMLINKAT, text(entry.target()), root, text(entry.name()));
            case FILE -> {
                var gone = program.label();
                var file = readOnly(host, false, gone);
                program.call(
                        Syscall.MKNODAT,
                        root,
                        text(entry.name()),
                        named(FileTypes.S_IFREG | 0644, "S_IFREG|0644"),
                        of(0));
                mounts.attach(file, root, entry.name());
                program.bind(gone);
            }
            case BOUND -> {
                var gone = program.label();
                var directory = readOnly(host, true, gone);
                program.call(Syscall.MKDIRAT, root, text(entry.name()), octal(0755));
                mounts.attach(directory, root, entry.name());
                program.bind(gone);
            }
            case DIRECTORY -> program.call(Syscall.MKDIRAT, root, text(entry.name()), octal(entry.mode()));
            case OVERLAID -> {
                String upper = "upper-" + overlays;
                String work = "work-" + overlays++;
                program.call(Syscall.MKDIRAT, root, text(entry.name()), octal(0755));
                program.call(Syscall.MKDIRAT, workshop, text(upper), octal(entry.mode()));
                program.call(Syscall.MKDIRAT, workshop, text(work), octal(0700));
                mounts.attach(overlay.mount(host, upper, work), root, entry.name());
            }
        }
    }

    /** @param gone where it goes on if somebody has removed it since it was seen */
    private Arg readOnly(String path, boolean recursive, Label gone) {
        var clone = mounts.cloneOfHostPath(path, path, recursive, gone);
        mounts.setAttributes(clone, MountCalls.RDONLY | MountCalls.NODEV, MountCalls.PRIVATE, recursive);
        return clone;
    }
}
