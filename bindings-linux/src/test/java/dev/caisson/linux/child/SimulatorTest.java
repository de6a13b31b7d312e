// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.Needs;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;

/** What the simulator says of a program is what the stubs do, on the real kernel. */
class SimulatorTest {
    private static final Launcher LAUNCHER = new Launcher();
    private static final int STDOUT = 1;
    private static final int STDERR = 2;

    @AfterContainer
    static void close() {
        LAUNCHER.close();
    }

    @Provide
    Arbitrary<List<RandomProgram.Op>> ops() {
        return RandomProgram.ops();
    }

    /** How a program ended, and what it wrote if it came to its end. */
    private record Ending(String end, List<Byte> written) {
        static Ending of(String end, byte[] written) {
            var bytes = new ArrayList<Byte>();
            for (byte b : written) {
                bytes.add(b);
            }
            return new Ending(end, bytes);
        }

        static Ending failed(int step, Errno errno) {
            return of("step " + step + " failed with " + errno, new byte[0]);
        }

        static Ending exited(int code) {
            return of("exited with " + code, new byte[0]);
        }

        Ending writing(byte[] written) {
            return of(end, written);
        }
    }

    private static Ending simulated(SyscallProgram program, Arch arch) throws IOException {
        var kernel = new HarmlessKernel(umask(), arch != Arch.host());
        var end = Simulator.run(Encoder.encode(program, arch), Map.of(RandomProgram.OUT, STDOUT), kernel);
        return switch (end) {
            case Simulator.End.Failed(int step, Errno errno) -> Ending.failed(step, errno);
            case Simulator.End.Exited(int code, boolean attempted) -> {
                assertTrue(attempted);
                yield Ending.exited(code).writing(kernel.written());
            }
            case Simulator.End.Executed executed -> throw new AssertionError(executed);
        };
    }

    private static int umask() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("Umask:"))
                .map(line -> Integer.parseInt(line.substring(6).strip(), 8))
                .findFirst()
                .orElseThrow();
    }

    private static Ending real(SyscallProgram program, Launch.Mode mode) throws IOException {
        try (var pipe = dev.caisson.linux.sys.Files.pipe();
                var arena = Arena.ofConfined()) {
            var outcome = LAUNCHER.launch(new Launch(
                    Encoder.encode(program, Arch.host()),
                    mode,
                    0,
                    OptionalInt.empty(),
                    Map.of(RandomProgram.OUT, pipe.writer().number()),
                    Map.of()));
            pipe.writer().close();
            if (outcome instanceof Outcome.ChildFailure failure) {
                return Ending.failed(failure.index().orElseThrow(), failure.errno());
            }
            int code = assertInstanceOf(Outcome.Child.class, outcome)
                    .reap()
                    .exitCode()
                    .orElseThrow();
            var written = new ByteArrayOutputStream();
            var buffer = arena.allocate(4096);
            for (int n; (n = dev.caisson.linux.sys.Files.read(pipe.reader(), buffer)) > 0; ) {
                written.writeBytes(buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE));
            }
            return Ending.exited(code).writing(written.toByteArray());
        }
    }

    @Property(tries = 1000)
    void agreesWithTheStubInTheJvmsMemory(@ForAll("ops") List<RandomProgram.Op> ops) throws Exception {
        var program = RandomProgram.of(ops);
        assertEquals(simulated(program, Arch.host()), real(program, Launch.Mode.DIRECT));
    }

    @Property(tries = 300)
    void agreesWithTheStubInAnImageOfItsOwn(@ForAll("ops") List<RandomProgram.Op> ops) throws Exception {
        var program = RandomProgram.of(ops);
        assertEquals(simulated(program, Arch.host()), real(program, Launch.Mode.ISOLATED));
    }

    @Needs(Need.QEMU_AARCH64)
    @Property(tries = 60)
    void agreesWithTheStubOfAnotherArchitectureInEmulation(@ForAll("ops") List<RandomProgram.Op> ops) throws Exception {
        var program = RandomProgram.of(ops);
        assertEquals(simulated(program, Arch.AARCH64), emulated(program, Need.QEMU_AARCH64.path()));
    }

    private static Ending emulated(SyscallProgram program, Path emulator) throws Exception {
        Path image = Files.createTempFile("caisson-image", "");
        try {
            byte[] bytes = IsolatedImage.bytes(
                    Arch.AARCH64,
                    Stub.load(Arch.AARCH64),
                    Encoder.encode(program, Arch.AARCH64),
                    Map.of(RandomProgram.OUT, STDOUT),
                    STDERR);
            Files.write(image, bytes);
            Files.setPosixFilePermissions(image, PosixFilePermissions.fromString("rwx------"));
            var process = new ProcessBuilder(emulator.toString(), image.toString()).start();
            byte[] written = process.getInputStream().readAllBytes();
            byte[] report = process.getErrorStream().readAllBytes();
            assertTrue(process.waitFor(60, TimeUnit.SECONDS));
            var last = ByteBuffer.wrap(Arrays.copyOfRange(
                            report, Math.max(0, report.length - TableLayout.REPORT_SIZE), report.length))
                    .order(ByteOrder.LITTLE_ENDIAN);
            if (report.length > 0 && last.getInt(TableLayout.STATE) == TableLayout.FAILED) {
                return Ending.failed(
                        TableLayout.index(last.getInt(TableLayout.FAILED_STEP)),
                        new Errno(last.getInt(TableLayout.FAILED_ERRNO)));
            }
            return Ending.exited(process.exitValue()).writing(written);
        } finally {
            Files.delete(image);
        }
    }

    private static Simulator.End run(SyscallProgram.Builder program, SimulatedKernel kernel) {
        return Simulator.run(Encoder.encode(program.build(), Arch.AARCH64), Map.of(), kernel);
    }

    @Example
    void anInterruptedCallIsMadeAgain() {
        int[] calls = {0};
        var program = SyscallProgram.builder().call(Syscall.GETPID).fail(Arg.of(Errno.EIO.code()));
        var end = run(program, (_, _, _) -> calls[0]++ < 3 ? -Errno.EINTR.code() : 1);
        assertEquals(new Simulator.End.Failed(1, Errno.EIO), end);
        assertEquals(4, calls[0]);
    }

    @Example
    void aTableThatIsEnteredCountsFromItsOwnBeginning() {
        long base = 1L << 32;
        var inner = SyscallProgram.builder();
        var there = inner.label();
        inner.jump(there).call(Syscall.GETPID).bind(there).fail(Arg.of(Errno.EIO.code()));
        var encoded = Encoder.encode(inner.build(), Arch.AARCH64);
        byte[] table = new byte[encoded.size()];
        encoded.place(MemorySegment.ofArray(table), base, Map.of());
        var program = SyscallProgram.builder();
        program.call(Syscall.GETPID).enter(Arg.bytes(table, "table")).call(Syscall.GETPPID);
        assertEquals(new Simulator.End.Failed(2, Errno.EIO), run(program, (_, _, _) -> 1));
    }

    @Example
    void anExecveThatSucceedsIsTheEnd() {
        var program = SyscallProgram.builder()
                .call(Syscall.GETPID)
                .execute(OnError.fail(), Syscall.EXECVE, Arg.text("/x"), Arg.argv(List.of()), Arg.envp(List.of()));
        assertEquals(new Simulator.End.Executed(1), run(program, (_, _, _) -> 0));
    }

    @Example
    void aProgramThatRunsOffItsEndFails() {
        var program = SyscallProgram.builder().call(Syscall.GETPID);
        assertEquals(new Simulator.End.Failed(1, Errno.ENOEXEC), run(program, (_, _, _) -> 1));
    }

    @Example
    void anEndlessProgramIsNotRunForEver() {
        var program = SyscallProgram.builder();
        var loop = program.label();
        program.bind(loop).jump(loop);
        assertThrows(IllegalStateException.class, () -> run(program, (_, _, _) -> 0));
    }

    @Example
    void memoryThatIsNotTheProgramsCannotBeTouched() {
        var program = SyscallProgram.builder().store(Step.Width.INT, Arg.of(8), Arg.of(1));
        assertThrows(IndexOutOfBoundsException.class, () -> run(program, (_, _, _) -> 0));
    }
}
