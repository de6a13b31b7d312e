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
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Mounts in other namespaces, by a child that enters them: no thread of a JVM can. */
final class Mounter {
    private static final String USER = "user namespace";
    private static final String MOUNTS = "mount namespace";
    private static final long CLONE_NEWNS = 0x20000;
    private static final long CLONE_NEWUSER = 0x10000000;

    private final Launcher launcher;

    Mounter(Launcher launcher) {
        this.launcher = launcher;
    }

    void mount(Fd user, Fd mounts, String source, String target, String type, long flags, String options)
            throws IOException {
        var program = SyscallProgram.builder().phase("mount for a caller");
        if (!isOwn(user)) {
            program.call(Syscall.SETNS, Arg.parameter(USER), Arg.named(CLONE_NEWUSER, "CLONE_NEWUSER"));
        }
        program.call(Syscall.SETNS, Arg.parameter(MOUNTS), Arg.named(CLONE_NEWNS, "CLONE_NEWNS"));
        program.call(
                Syscall.MOUNT,
                Arg.text(source),
                Arg.text(target),
                Arg.text(type),
                Arg.named(flags, "0x" + Long.toHexString(flags)),
                Arg.text(options));
        // A launch counts as done at its execve; this one fails on purpose.
        program.execute(OnError.ignore(), Syscall.EXECVE, Arg.text(""), Arg.argv(List.of()), Arg.envp(List.of()))
                .call(Syscall.EXIT_GROUP, Arg.of(0));
        // In a memory of its own: the container could watch it.
        var launch = Launch.isolated(
                Encoder.encode(program.build(), Arch.host()), 0, Map.of(USER, user.number(), MOUNTS, mounts.number()));
        switch (launcher.launch(launch)) {
            case Outcome.Child child -> {
                try (var pidfd = child.pidfd()) {
                    var _ = Processes.reap(pidfd);
                }
            }
            case Outcome.ChildFailure failure ->
                throw new LinuxException(failure.errno(), failure.step().toString());
            case Outcome.Died died -> throw new IOException("the child that was to mount was killed: " + died.status());
        }
    }

    /** Nobody may enter the user namespace that he is in. */
    private static boolean isOwn(Fd user) throws IOException {
        var one = Files.readAttributes(Path.of("/proc/self/fd/" + user.number()), "unix:ino,dev");
        return one.equals(Files.readAttributes(Path.of("/proc/self/ns/user"), "unix:ino,dev"));
    }
}
