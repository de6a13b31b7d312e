// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.notify;

import dev.caisson.linux.Arch;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.Encoder;
import dev.caisson.linux.child.Launch;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.OnError;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.AtFlags;
import dev.caisson.linux.flag.CloneFlags;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Acts in the namespaces of a caller as root there, by a child that enters them: no thread of a JVM can. */
final class Actor {
    private static final Arg.Slot USER = Arg.slot("user namespace");
    private static final Arg.Slot MOUNTS = Arg.slot("mount namespace");

    private final Launcher launcher;
    private final Fd user;
    private final Fd mounts;

    Actor(Launcher launcher, Fd user, Fd mounts) {
        this.launcher = launcher;
        this.user = user;
        this.mounts = mounts;
    }

    void mount(String source, String target, String type, long flags, String options) throws IOException {
        var program = entering();
        program.call(
                Syscall.MOUNT,
                Arg.text(source),
                Arg.text(target),
                Arg.text(type),
                Arg.named(flags, "0x" + Long.toHexString(flags)),
                Arg.text(options));
        run(program);
    }

    void makeFile(String path, int mode) throws IOException {
        var program = entering();
        program.call(Syscall.UMASK, Arg.of(0));
        program.call(
                Syscall.OPENAT,
                AtFlags.CWD,
                Arg.text(path),
                OpenFlags.of(OpenFlags.O_CREAT | OpenFlags.O_EXCL | OpenFlags.O_WRONLY | OpenFlags.O_CLOEXEC),
                Arg.octal(mode));
        run(program);
    }

    private SyscallProgram.Builder entering() throws IOException {
        var program = SyscallProgram.builder().phase("act for a caller");
        if (!isOwn(user)) {
            program.call(Syscall.SETNS, USER, CloneFlags.of(CloneFlags.CLONE_NEWUSER));
            // The JVM's own ids may mean nobody in there; where there is no root, nobody it is.
            program.call(OnError.ignore(), Syscall.SETRESGID, Arg.of(0), Arg.of(0), Arg.of(0));
            program.call(OnError.ignore(), Syscall.SETRESUID, Arg.of(0), Arg.of(0), Arg.of(0));
        }
        return program.call(Syscall.SETNS, MOUNTS, CloneFlags.of(CloneFlags.CLONE_NEWNS));
    }

    private void run(SyscallProgram.Builder program) throws IOException {
        // A launch counts as done at its execve; this one fails on purpose.
        program.execute(OnError.ignore(), Syscall.EXECVE, Arg.text(""), Arg.argv(List.of()), Arg.envp(List.of()))
                .call(Syscall.EXIT_GROUP, Arg.of(0));
        // In a memory of its own: the container could watch it.
        var launch = Launch.isolated(
                Encoder.encode(program.build(), Arch.host()), 0, Map.of(USER, user.number(), MOUNTS, mounts.number()));
        switch (launcher.launch(launch)) {
            case Outcome.Child child -> {
                var _ = child.reap();
            }
            case Outcome.ChildFailure failure ->
                throw new LinuxException(failure.errno(), failure.step().toString());
            case Outcome.Died died -> throw new IOException("the child that was to act was killed: " + died.status());
        }
    }

    /** Nobody may enter the user namespace that he is in. */
    private static boolean isOwn(Fd user) throws IOException {
        var one = Files.readAttributes(Path.of("/proc/self/fd/" + user.number()), "unix:ino,dev");
        return one.equals(Files.readAttributes(Path.of("/proc/self/ns/user"), "unix:ino,dev"));
    }
}
