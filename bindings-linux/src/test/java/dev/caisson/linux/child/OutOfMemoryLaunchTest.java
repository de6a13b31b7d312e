// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.sys.Processes;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A child that takes more memory than its cgroup may have, before its execve: the JVM it shares memory with survives. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class OutOfMemoryLaunchTest {
    private static final int O_WRONLY_CLOEXEC = 1 | 0x80000;
    private static final int PIPE_BYTES = 1 << 20;

    private Path cgroup;

    @BeforeEach
    void makeCgroup() throws IOException {
        var parent = memoryCgroup();
        Need.MEMORY_CONTROLLER.orSkip(parent.isPresent(), "needs a memory controller in which a cgroup can be made");
        cgroup = Files.createDirectory(
                parent.get().resolve("caisson-test-" + ProcessHandle.current().pid() + "-" + System.nanoTime()));
    }

    @AfterEach
    void removeCgroup() throws Exception {
        if (cgroup == null) {
            return;
        }
        for (int i = 0; i < 100; i++) {
            try {
                Files.delete(cgroup);
                return;
            } catch (IOException busy) {
                Thread.sleep(20);
            }
        }
        Files.delete(cgroup);
    }

    /** The directory of this process in the hierarchy that has the memory controller. */
    private static Optional<Path> memoryCgroup() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
            String[] halves = line.split(" - ");
            Path mount = Path.of(halves[0].split(" ")[4]);
            boolean legacy = halves[1].startsWith("cgroup ")
                    && List.of(halves[1].split("[ ,]")).contains("memory");
            boolean unified = halves[1].startsWith("cgroup2 ") && comesDown("memory", mount);
            if (legacy || unified) {
                return Optional.of(mount);
            }
        }
        return Optional.empty();
    }

    /** Enables a controller for the children of the root, where version 2 has it. */
    private static boolean comesDown(String controller, Path mount) throws IOException {
        Path control = mount.resolve("cgroup.subtree_control");
        if (Files.exists(control)
                && Files.readString(mount.resolve("cgroup.controllers")).contains(controller)) {
            Files.writeString(control, "+" + controller);
            return true;
        }
        return false;
    }

    private void limit(long bytes) throws IOException {
        Path legacy = cgroup.resolve("memory.limit_in_bytes");
        Files.writeString(Files.exists(legacy) ? legacy : cgroup.resolve("memory.max"), Long.toString(bytes));
    }

    /** Enters the cgroup, then fills pipes, whose memory is charged to the cgroup of who writes, not to that of the JVM. */
    private SyscallProgram hungry() {
        var program = SyscallProgram.builder().phase("test");
        var procs = program.result(
                "procs",
                Syscall.OPENAT,
                Arg.of(-100),
                Arg.text(cgroup.resolve("cgroup.procs").toString()),
                Arg.of(O_WRONLY_CLOEXEC));
        program.call(Syscall.WRITE, procs, Arg.text("0"), Arg.of(1));
        var ends = Arg.buffer("ends", 2 * Integer.BYTES);
        var bytes = Arg.buffer("bytes", 1 << 16);
        var again = program.label();
        program.bind(again);
        program.call(Syscall.PIPE2, ends, Arg.of(O_WRONLY_CLOEXEC - 1));
        var writer = program.load("writer", Step.Width.INT, program.sum("second", ends, Arg.of(Integer.BYTES)));
        int setPipeSize = 1031;
        program.call(OnError.ignore(), Syscall.FCNTL, writer, Arg.of(setPipeSize), Arg.of(PIPE_BYTES));
        for (int i = 0; i < PIPE_BYTES >> 16; i++) {
            program.call(Syscall.WRITE, writer, bytes, Arg.of(1 << 16));
        }
        program.jump(again);
        program.execute(
                OnError.fail(), Syscall.EXECVE, Arg.text("/bin/true"), Arg.argv(List.of()), Arg.envp(List.of()));
        return program.build();
    }

    @ParameterizedTest
    @EnumSource
    void theLaunchFailsAndTheJvmLives(Launch.Mode mode) throws Exception {
        limit(8 << 20);
        try (var launcher = new Launcher()) {
            var encoded = Encoder.encode(hungry(), Arch.host());
            var launch = mode == Launch.Mode.DIRECT
                    ? Launch.direct(encoded, 0, Map.of())
                    : Launch.isolated(encoded, 0, Map.of());
            // Killed, or told by the kernel that there is no more; the pipes of one process are limited as well.
            switch (launcher.launch(launch)) {
                case Outcome.Died died -> assertTrue(died.status().signal().isPresent());
                case Outcome.ChildFailure failure ->
                    assertTrue(Set.of(Errno.ENOMEM, Errno.EMFILE).contains(failure.errno()), failure.toString());
                case Outcome.Child child -> {
                    try (var pidfd = child.pidfd()) {
                        throw new AssertionError("launched: " + Processes.reap(pidfd));
                    }
                }
            }
        }
    }
}
