// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.octal;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.spec.Mount;
import java.util.Optional;

/** What is mounted on the root: the kernel's file systems first, then what the user asked for, in that order. */
final class MountSteps {

    private final PlanInput input;
    private final SyscallProgram.Builder program;
    private final MountCalls mounts;
    private final BindSteps binds;
    private int contents;

    MountSteps(PlanInput input, SyscallProgram.Builder program, MountCalls mounts, BindSteps binds) {
        this.input = input;
        this.program = program;
        this.mounts = mounts;
        this.binds = binds;
    }

    /** {@return what the streams are connected to of a /dev of the container's own, if it has one} */
    Devices plan(Arg root, Arg workshop) {
        boolean kernelMounts =
                input.spec().root().kernelMounts() && input.spec().hasOwnRoot();
        var devices = Devices.none();
        if (kernelMounts) {
            program.phase("kernel file systems");
            devices = new KernelMounts(input, program, mounts).plan(root);
        }
        program.phase("mounts");
        for (var mount : input.spec().root().mounts()) {
            plan(mount, root, workshop);
        }
        if (input.spec().root().asks(RootSpec.Question.PLACES)) {
            program.purpose("end, since this launch only asks");
            program.fail(named(Errno.ECANCELED.code(), "ECANCELED"));
        }
        program.phase("masks");
        new MaskSteps(input, program, mounts).plan(root, workshop, kernelMounts);
        return devices;
    }

    private void plan(Mount mount, Arg root, Arg workshop) {
        switch (mount) {
            case Mount.Bind bind -> {
                program.purpose("bind " + HostPath.shown(bind.source()) + " to " + bind.target(), "CAP_SYS_ADMIN")
                        .task(LaunchTask.PLACE_MOUNT);
                mounts.attach(binds.cloneOf(bind), place(root, bind, binds.isDirectory(bind)));
            }
            case Mount.Tmpfs tmpfs -> {
                program.purpose("mount a tmpfs on " + tmpfs.target(), "CAP_SYS_ADMIN")
                        .task(LaunchTask.PLACE_MOUNT);
                var context = mounts.open("tmpfs");
                tmpfs.size().ifPresent(size -> mounts.set(context, "size", Long.toString(size)));
                mounts.set(context, "mode", "0" + Integer.toOctalString(tmpfs.mode()));
                var made = mounts.mount(context, tmpfs.target(), BindSteps.attributes(tmpfs.options()));
                mounts.attach(made, place(root, tmpfs, true));
            }
            case Mount.Content content -> {
                program.purpose("write " + content.target() + " from memory", "CAP_SYS_ADMIN")
                        .task(LaunchTask.PLACE_MOUNT);
                mounts.attach(file(content, workshop), place(root, content, false));
            }
        }
    }

    private Arg place(Arg root, Mount mount, boolean directory) {
        return mounts.resolveOrMake(
                root,
                mount.target(),
                directory,
                input.spec().root().asks(RootSpec.Question.PLACES)
                        ? Optional.of(Places.gate(mount))
                        : Optional.empty());
    }

    private Arg file(Mount.Content content, Arg workshop) {
        String name = "content" + contents++;
        byte[] bytes = content.bytes();
        var file = program.result(
                name,
                Syscall.OPENAT,
                workshop,
                text(name),
                OpenFlags.of(OpenFlags.O_WRONLY | OpenFlags.O_CREAT | OpenFlags.O_CLOEXEC),
                octal(content.mode()));
        if (bytes.length > 0) {
            program.call(Syscall.WRITE, file, Arg.bytes(bytes, "\"...\""), of(bytes.length));
        }
        program.call(Syscall.CLOSE, file);
        var clone = mounts.cloneOf(content.target(), workshop, name, false);
        mounts.setAttributes(
                clone, MountCalls.RDONLY | MountCalls.NOSUID | MountCalls.NODEV, MountCalls.PRIVATE, false);
        return clone;
    }
}
