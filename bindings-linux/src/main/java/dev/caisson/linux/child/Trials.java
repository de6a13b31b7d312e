// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.nullPointer;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;
import static dev.caisson.linux.flag.CloneFlags.CLONE_NEWNS;
import static dev.caisson.linux.flag.CloneFlags.CLONE_NEWUSER;
import static dev.caisson.linux.flag.CloneFlags.CLONE_NEWUTS;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Feature;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.flag.AtFlags;
import dev.caisson.linux.flag.CloneFlags;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Kernel.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Tries, in a child with namespaces of its own, what the JVM itself may not try or must not suffer. Each trial is a launch
 * of a fraction of a millisecond. Thread-safe.
 */
public final class Trials {
    private static final int CLOCK_BOOTTIME = 7;
    private static final int FSOPEN_CLOEXEC = 1;
    private static final int FSCONFIG_SET_FLAG = 0;
    private static final int FSCONFIG_SET_STRING = 1;

    /** A year and a half, in seconds: by so much the clock of a trial is put forward. */
    private static final long OFFSET = 50_000_000;

    private static final Arg.Slot IMAGE = Arg.slot("image");

    private final Launcher launcher;

    public Trials(Launcher launcher) {
        this.launcher = launcher;
    }

    /** {@return what a child found out; {@code COULD_NOT_TELL} where there is no trial or the child was not let} */
    public Answer attempt(Feature feature) {
        try {
            return switch (feature) {
                case USER_NAMESPACE -> userNamespace();
                case OVERLAY -> inUserNamespace(overlay());
                case OVERLAY_LOWERDIR_APPEND ->
                    inUserNamespace(option(named(FSCONFIG_SET_STRING, "FSCONFIG_SET_STRING"), "lowerdir+", text("/")));
                case OVERLAY_USERXATTR ->
                    inUserNamespace(option(named(FSCONFIG_SET_FLAG, "FSCONFIG_SET_FLAG"), "userxattr", nullPointer()));
                case TIME_NAMESPACE_AT_EXEC -> timeNamespaceAtExec();
                default -> Answer.COULD_NOT_TELL;
            };
        } catch (IOException notLaunched) {
            return Answer.COULD_NOT_TELL;
        }
    }

    /** Some hosts let a user make one and then deny every capability in it. */
    private Answer userNamespace() throws IOException {
        var program = SyscallProgram.builder().phase("try user namespaces");
        program.call(Syscall.SETHOSTNAME, text("x"), of(1));
        try {
            return succeeds(Launch.direct(encode(ending(program)), CLONE_NEWUSER | CLONE_NEWUTS, Map.of()))
                    ? Answer.YES
                    : Answer.NO;
        } catch (LinuxException refused) {
            return Answer.NO;
        }
    }

    private static SyscallProgram.Builder overlay() {
        var program = SyscallProgram.builder().phase("try overlayfs");
        program.call(Syscall.FSOPEN, text("overlay"), named(FSOPEN_CLOEXEC, "FSOPEN_CLOEXEC"));
        return program;
    }

    private static SyscallProgram.Builder option(Arg command, String key, Arg value) {
        var program = SyscallProgram.builder().phase("try overlayfs");
        var context =
                program.result("overlay", Syscall.FSOPEN, text("overlay"), named(FSOPEN_CLOEXEC, "FSOPEN_CLOEXEC"));
        program.call(Syscall.FSCONFIG, context, command, text(key), value, of(0));
        return program;
    }

    private Answer inUserNamespace(SyscallProgram.Builder program) throws IOException {
        var launch = Launch.direct(encode(ending(program)), CLONE_NEWUSER | CLONE_NEWNS, Map.of());
        return switch (launcher.launch(launch)) {
            case Outcome.Child child -> exit(child) == 0 ? Answer.YES : Answer.NO;
            case Outcome.ChildFailure failure ->
                failure.errno().equals(Errno.EPERM) ? Answer.COULD_NOT_TELL : Answer.NO;
            case Outcome.Died _ -> Answer.COULD_NOT_TELL;
        };
    }

    /** Looks at the clock after an execve: only there can be seen whether the namespace was entered. */
    private Answer timeNamespaceAtExec() throws IOException {
        var arch = Arch.host();
        long uptime = (long)
                Double.parseDouble(Files.readString(Path.of("/proc/uptime")).split(" ")[0]);
        try (var image = IsolatedImage.create(
                arch, Stub.host().code(), encode(clockIsBeyond(uptime + OFFSET / 2)), Map.of(), -1)) {
            var program = SyscallProgram.builder().phase("try time namespaces");
            program.call(Syscall.UNSHARE, CloneFlags.of(CloneFlags.CLONE_NEWTIME));
            var offsets = program.result(
                    "offsets",
                    Syscall.OPENAT,
                    AtFlags.CWD,
                    text("/proc/self/timens_offsets"),
                    OpenFlags.of(OpenFlags.O_WRONLY));
            String line = "boottime " + OFFSET + " 0";
            program.call(Syscall.WRITE, offsets, text(line), of(line.length()));
            program.call(Syscall.CLOSE, offsets);
            program.execute(
                    OnError.fail(),
                    Syscall.EXECVEAT,
                    IMAGE,
                    text(""),
                    Arg.argv(List.of("clock")),
                    Arg.envp(List.of()),
                    AtFlags.of(AtFlags.AT_EMPTY_PATH));
            var descriptors = Map.of(IMAGE, image.number());
            var encoded = encode(program.build());
            // As root first: in a user namespace without a map, /proc/self/timens_offsets is nobody's.
            for (long flags : new long[] {0, CLONE_NEWUSER}) {
                if (launcher.launch(Launch.isolated(encoded, flags, descriptors)) instanceof Outcome.Child child) {
                    return exit(child) == 0 ? Answer.YES : Answer.NO;
                }
            }
            return Answer.COULD_NOT_TELL;
        }
    }

    private static SyscallProgram clockIsBeyond(long seconds) {
        var program = SyscallProgram.builder().phase("look at the clock");
        var before = program.label();
        var time = Arg.buffer("timespec", 2 * Long.BYTES);
        program.call(Syscall.CLOCK_GETTIME, named(CLOCK_BOOTTIME, "CLOCK_BOOTTIME"), time);
        var now = program.load("seconds", Step.Width.LONG, time);
        program.branch(Step.Condition.LESS, now, of(seconds), before);
        program.call(Syscall.EXIT_GROUP, of(0));
        return program.bind(before).call(Syscall.EXIT_GROUP, of(1)).build();
    }

    /** A launch counts as done at its execve; this one fails on purpose, and the exit code says the rest. */
    private static SyscallProgram ending(SyscallProgram.Builder program) {
        return program.execute(OnError.ignore(), Syscall.EXECVE, text(""), Arg.argv(List.of()), Arg.envp(List.of()))
                .call(Syscall.EXIT_GROUP, of(0))
                .build();
    }

    private static EncodedProgram encode(SyscallProgram program) {
        return Encoder.encode(program, Arch.host());
    }

    private boolean succeeds(Launch launch) throws IOException {
        return launcher.launch(launch) instanceof Outcome.Child child && exit(child) == 0;
    }

    private static int exit(Outcome.Child child) throws LinuxException {
        return child.reap().exitCode().orElse(-1);
    }
}
