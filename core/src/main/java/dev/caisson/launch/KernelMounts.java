// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.octal;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.OnError;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.child.Waiting;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Stdio;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The file systems every program expects: /proc, /sys, and a /dev with six devices, terminals, shared memory and message
 * queues (OCI runtime spec, "Default Filesystems" and "Default Devices").
 */
final class KernelMounts {
    private static final long SAFE = MountCalls.NOSUID | MountCalls.NODEV | MountCalls.NOEXEC;
    /** Reading and writing a device does not depend on its mount's being writable, but changing its inode does. */
    private static final long DEVICE = MountCalls.RDONLY | MountCalls.NOSUID | MountCalls.NOEXEC;

    private static final int TTY_GROUP = 5;
    private static final String SHM_SIZE = Long.toString(64L << 20);
    private static final String MOST_TERMINALS = "256";

    private record Link(String name, String target) {}

    private static final List<String> DEVICES = List.of("null", "zero", "full", "random", "urandom", "tty");

    private static final List<Link> LINKS = List.of(
            new Link("fd", "/proc/self/fd"),
            new Link("stdin", "/proc/self/fd/0"),
            new Link("stdout", "/proc/self/fd/1"),
            new Link("stderr", "/proc/self/fd/2"),
            new Link("ptmx", "pts/ptmx"));

    private final PlanInput input;
    private final SyscallProgram.Builder program;
    private final MountCalls mounts;

    KernelMounts(PlanInput input, SyscallProgram.Builder program, MountCalls mounts) {
        this.input = input;
        this.program = program;
        this.mounts = mounts;
    }

    /** {@return what the streams are connected to of the container's own /dev} */
    Devices plan(Arg root) {
        proc(root);
        sys(root);
        if (input.spec().limits().delegated()) {
            cgroup(root);
        }
        return dev(root);
    }

    private void proc(Arg root) {
        if (input.inUserNamespace() && !input.isFresh(Namespace.PID) && !input.joins(Namespace.PID)) {
            // A procfs shows one PID namespace, and mounting that of the host takes privilege over the host.
            program.purpose("show the host's /proc, since the PID namespace is the host's", "CAP_SYS_ADMIN");
            var proc = mounts.cloneOfHostPath("proc", "/proc", true);
            mounts.setAttributes(proc, SAFE, MountCalls.PRIVATE, true);
            place(proc, root, "proc");
            return;
        }
        program.purpose("mount /proc", "CAP_SYS_ADMIN, and a /proc on the host that nothing covers in part")
                .task(LaunchTask.MOUNT_PROC);
        place(mounts.mount(mounts.open("proc"), "proc", SAFE), root, "proc");
    }

    private void sys(Arg root) {
        if (input.inUserNamespace() && !input.isFresh(Namespace.NETWORK)) {
            program.purpose(
                    "show the host's /sys read-only, since the network is not the container's", "CAP_SYS_ADMIN");
            var sys = mounts.cloneOfHostPath("sys", "/sys", true);
            mounts.setAttributes(sys, SAFE | MountCalls.RDONLY, MountCalls.PRIVATE, true);
            place(sys, root, "sys");
            return;
        }
        program.purpose("mount /sys read-only", "CAP_SYS_ADMIN");
        place(mounts.mount(mounts.open("sysfs"), "sys", SAFE | MountCalls.RDONLY), root, "sys");
    }

    /** Its root is that of the cgroup namespace, and so the container's own. */
    private void cgroup(Arg root) {
        program.purpose("mount the container's own cgroup on /sys/fs/cgroup", "CAP_SYS_ADMIN");
        place(mounts.mount(mounts.open("cgroup2"), "cgroup", SAFE), root, "sys/fs/cgroup");
    }

    private Devices dev(Arg root) {
        program.purpose("mount a minimal /dev", "CAP_SYS_ADMIN");
        var context = mounts.open("tmpfs");
        mounts.set(context, "mode", "0755");
        mounts.set(context, "size", "65536");
        var dev = mounts.mount(context, "dev", SAFE);
        for (String directory : List.of("pts", "shm", "mqueue")) {
            program.call(Syscall.MKDIRAT, dev, text(directory), octal(0755));
        }
        for (var link : LINKS) {
            program.call(Syscall.SYMLINKAT, text(link.target()), dev, text(link.name()));
        }
        place(dev, root, "dev");
        for (String device : DEVICES) {
            // Mounts of the host's nodes, not nodes of its own: then /dev can be "nodev", and a container that may make
            // nodes (CAP_MKNOD is among the default capabilities) cannot open one anywhere.
            program.purpose("show the host's /dev/" + device, "CAP_SYS_ADMIN");
            program.call(Syscall.MKNODAT, dev, text(device), named(0100666, "S_IFREG|0666"), of(0));
            var node = mounts.cloneOfHostPath(device, "/dev/" + device, false);
            mounts.setAttributes(node, DEVICE, MountCalls.PRIVATE, false);
            mounts.attach(node, dev, device);
        }
        pts(dev);
        shm(dev);
        mqueue(dev);
        return input.part() == PlanInput.Part.PREPARATION
                ? new Devices(Optional.of(dev), Optional.empty(), Optional.empty())
                : connected(dev);
    }

    /** {@return what a start opens of the /dev that its preparation has left, if it has one} */
    static Devices left(PlanInput input, SyscallProgram.Builder program) {
        boolean own = input.isFresh(Namespace.MOUNT)
                && input.spec().hasOwnRoot()
                && input.spec().root().kernelMounts();
        return own ? new KernelMounts(input, program, new MountCalls(program)).connected(Waiting.LEFT) : Devices.none();
    }

    private Devices connected(Arg dev) {
        return new Devices(
                Optional.of(dev),
                discards() ? Optional.of(nothing(dev)) : Optional.empty(),
                new TerminalSteps(input, program).planOwn(mounts, dev));
    }

    private boolean discards() {
        var spec = input.spec();
        return Stream.concat(
                        Stream.of(
                                        spec.process().stdin(),
                                        spec.process().stdout(),
                                        spec.process().stderr())
                                .flatMap(Optional::stream),
                        spec.process().descriptors().values().stream())
                .anyMatch(Stdio.Discard.class::isInstance);
    }

    /** Not the host's: whoever has it open may change the mode of what it is. */
    private Arg nothing(Arg dev) {
        program.purpose("open the container's /dev/null");
        return program.result(
                "null",
                Syscall.OPENAT,
                dev,
                text("null"),
                // Who joined a prepared container may have put a link there.
                OpenFlags.of(OpenFlags.O_RDWR | OpenFlags.O_NOFOLLOW | OpenFlags.O_CLOEXEC));
    }

    private void pts(Arg dev) {
        program.purpose("mount /dev/pts", "CAP_SYS_ADMIN");
        var context = mounts.open("devpts");
        mounts.set(context, "mode", "0620");
        mounts.set(context, "ptmxmode", "0666");
        // All instances share what the host allows, from which one container could take everything.
        mounts.set(context, "max", MOST_TERMINALS);
        boolean tty = input.idMap().map(map -> map.hasGid(TTY_GROUP)).orElse(!input.inUserNamespace());
        if (tty) {
            mounts.set(context, "gid", Integer.toString(TTY_GROUP));
        }
        mounts.attach(mounts.mount(context, "pts", MountCalls.NOSUID | MountCalls.NOEXEC), dev, "pts");
    }

    private void shm(Arg dev) {
        program.purpose("mount /dev/shm", "CAP_SYS_ADMIN");
        var context = mounts.open("tmpfs");
        mounts.set(context, "mode", "01777");
        mounts.set(context, "size", SHM_SIZE);
        mounts.attach(mounts.mount(context, "shm", SAFE), dev, "shm");
    }

    private void mqueue(Arg dev) {
        if (input.inUserNamespace() && !input.isFresh(Namespace.IPC)) {
            return; // The queues are the host's, which this user namespace may not mount.
        }
        program.purpose("mount /dev/mqueue", "CAP_SYS_ADMIN");
        mounts.attach(mounts.mount(mounts.open("mqueue"), "mqueue", SAFE), dev, "mqueue");
    }

    /** A hostile image may have made /proc a symbolic link: then this fails, and mounts nothing elsewhere. */
    private void place(Arg mount, Arg root, String name) {
        program.call(OnError.ignore(Errno.EEXIST, Errno.EROFS), Syscall.MKDIRAT, root, text(name), octal(0755));
        mounts.attach(mount, mounts.resolve(OnError.fail(), root, name, MountCalls.NO_SYMLINKS));
    }
}
