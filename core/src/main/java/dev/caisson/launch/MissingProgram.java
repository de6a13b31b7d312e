// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.child.Consultation;
import dev.caisson.linux.child.Encoder;
import dev.caisson.linux.child.Launch;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.flag.ResolveFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.FileSystemType;
import dev.caisson.linux.sys.Files;
import dev.caisson.path.InsidePath;
import dev.caisson.spec.Namespace;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

/**
 * Why a program that is there cannot be found: execve(2) says ENOENT of a missing file and of a missing interpreter alike.
 * The files are a container's: they are looked at below its root, and read only if they are regular.
 */
public final class MissingProgram {
    /** The gate at which a launch that only asks shows its root. */
    static final String GATE = "root";

    /** The kernel looks at no more of a file (BINPRM_BUF_SIZE). */
    private static final int BEGINNING = 256;

    private static final int MOST = 4096;
    private static final int ELF_MAGIC = 0x464c457f;
    private static final int PT_INTERP = 3;
    private static final int PROGRAM_HEADER = 56;

    private MissingProgram() {}

    /** {@return whether a launch failed because its program, or what interprets that, is not there} */
    public static boolean isFor(Outcome.ChildFailure failure) {
        return failure.errno().equals(Errno.ENOENT)
                && (LaunchTask.RUN_PROGRAM.isOf(failure.step()) || LaunchTask.FIND_PROGRAM.isOf(failure.step()));
    }

    /** {@return the cause in words, if it is an interpreter; found by a launch that shows its root and then fails} */
    public static Optional<String> look(Launcher launcher, Planner planner, Launch failed, LaunchPlan plan) {
        var input = plan.input();
        var cause = new AtomicReference<>(Optional.<String>empty());
        try {
            if (input.spec().hasOwnRoot()) {
                var spec = input.spec().root(r -> r.withAsks(RootSpec.Question.PROGRAM));
                var asking = planner.plan(spec, input.command(), input.cgroupFiles());
                var gates = new HashMap<>(ParentSide.gates(asking, Fd::close, Fd::close, _ -> {}));
                Consultation shown = root -> {
                    cause.set(why(root, input));
                    return new byte[Long.BYTES];
                };
                gates.put(GATE, shown);
                var _ = launcher.launch(new Launch(
                        Encoder.encode(asking.program(), Arch.host()),
                        asking.mode(),
                        asking.flags(),
                        failed.cgroup(),
                        failed.descriptors(),
                        gates));
            } else if (!input.joins(Namespace.MOUNT) && !input.spec().root().changesMounts()) {
                try (var root = Files.open(InsidePath.ROOT, OpenFlags.O_PATH, 0)) {
                    cause.set(why(root, input));
                }
            }
        } catch (IOException sayNoMore) {
            return Optional.empty(); // The refusal itself is known, and is what matters.
        }
        return cause.get();
    }

    /** {@return the cause in words, if it is an interpreter, by the root of the container} */
    public static Optional<String> look(Fd root, LaunchPlan plan) {
        return why(root, plan.input());
    }

    private static Optional<String> why(Fd root, PlanInput input) {
        return candidates(input).flatMap(file -> why(root, file).stream()).findFirst();
    }

    private static Stream<String> candidates(PlanInput input) {
        String name = input.command().getFirst();
        String directory = input.spec().process().workingDirectory().orElse(InsidePath.ROOT);
        if (name.contains("/")) {
            return Stream.of(name.startsWith("/") ? name : directory + "/" + name);
        }
        String path = Environment.of(input.spec(), input.principal()).getOrDefault("PATH", Environment.DEFAULT_PATH);
        return Stream.of(path.split(":")).map(place -> (place.startsWith("/") ? place : directory) + "/" + name);
    }

    private static Optional<String> why(Fd root, String file) {
        try (var found = find(root, file)) {
            if (FileStatus.of(found).type() != FileStatus.Type.FILE
                    || FileSystemType.of(found).isOfTheKernel()) {
                return Optional.empty();
            }
            byte[] beginning = read(found);
            return script(root, file, beginning).or(() -> binary(root, file, beginning));
        } catch (LinuxException absent) {
            return Optional.empty(); // Then that is the reason, and it is known.
        }
    }

    private static Fd find(Fd root, String file) throws LinuxException {
        byte[] relative = FileNames.encode(MountCalls.relative(file));
        return At.open(
                root, relative, OpenFlags.O_PATH, 0, ResolveFlags.RESOLVE_IN_ROOT | ResolveFlags.RESOLVE_NO_MAGICLINKS);
    }

    private static byte[] read(Fd found) throws LinuxException {
        try (var opened = Files.open(At.self(found), OpenFlags.O_RDONLY, 0);
                var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(MOST);
            int length = Files.read(opened, buffer);
            return buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private static Optional<String> script(Fd root, String file, byte[] beginning) {
        String text = FileNames.decode(Arrays.copyOf(beginning, Math.min(beginning.length, BEGINNING)));
        if (!text.startsWith("#!")) {
            return Optional.empty();
        }
        String line = text.substring(2).lines().findFirst().orElse("");
        // lines() takes a carriage return for an end of its own, the kernel does not.
        boolean windows = text.startsWith("#!" + line + "\r");
        String interpreter = line.strip().split("[ \t]")[0];
        boolean alone = interpreter.length() == line.strip().length();
        String named = windows && alone ? interpreter + "\r" : interpreter;
        if (exists(root, named)) {
            return Optional.empty();
        }
        return Optional.of(file + " is there, but the interpreter that its first line names, "
                + Arg.quote(named) + ", is not"
                + (windows && alone && exists(root, interpreter)
                        ? ": its lines end as on Windows, convert them (sed -i 's/\\r$//')"
                        : ""));
    }

    private static Optional<String> binary(Fd root, String file, byte[] beginning) {
        var elf = ByteBuffer.wrap(beginning).order(ByteOrder.LITTLE_ENDIAN);
        if (beginning.length < 64 || elf.getInt(0) != ELF_MAGIC || beginning[4] != 2) {
            return Optional.empty();
        }
        long headers = elf.getLong(32);
        int count = Short.toUnsignedInt(elf.getShort(56));
        for (int i = 0; i < count; i++) {
            long at = headers + (long) i * PROGRAM_HEADER;
            if (at < 0 || at + PROGRAM_HEADER > beginning.length || elf.getInt((int) at) != PT_INTERP) {
                continue;
            }
            long offset = elf.getLong((int) at + 8);
            long size = elf.getLong((int) at + 32);
            if (offset < 0 || size < 1 || offset + size > beginning.length) {
                return Optional.empty();
            }
            String loader = FileNames.decode(Arrays.copyOfRange(beginning, (int) offset, (int) (offset + size - 1)));
            return exists(root, loader)
                    ? Optional.empty()
                    : Optional.of(file + " is there, but its dynamic loader, " + Arg.quote(loader) + ", is not");
        }
        return Optional.empty();
    }

    private static boolean exists(Fd root, String path) {
        if (path.indexOf('\0') >= 0) {
            return false;
        }
        try (var _ = find(root, path)) {
            return true;
        } catch (LinuxException absent) {
            return !List.of(Errno.ENOENT, Errno.ENOTDIR).contains(absent.errno());
        }
    }
}
