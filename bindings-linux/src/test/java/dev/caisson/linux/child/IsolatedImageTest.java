// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.testkit.Need;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The stub of every architecture, walking a program as an executable of its own; a foreign one in qemu's emulation. */
class IsolatedImageTest {
    private static final int STDERR = 2;
    private static final long ENTERED = 1L << 32;

    @TempDir
    Path directory;

    private record Ended(int code, String output, ByteBuffer report) {}

    private Ended run(Arch arch, SyscallProgram program) throws Exception {
        var command = new ArrayList<String>();
        if (arch != Arch.host()) {
            var emulator = arch == Arch.AARCH64 ? Need.QEMU_AARCH64 : Need.QEMU_X86_64;
            command.add(emulator.path().toString());
        }
        Path image = directory.resolve("image");
        Files.write(image, IsolatedImage.bytes(arch, Stub.load(arch), Encoder.encode(program, arch), Map.of(), STDERR));
        Files.setPosixFilePermissions(image, PosixFilePermissions.fromString("rwx------"));
        command.add(image.toString());
        var process = new ProcessBuilder(command).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        var report = ByteBuffer.wrap(process.getErrorStream().readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
        assertTrue(process.waitFor(30, TimeUnit.SECONDS));
        return new Ended(process.exitValue(), output, report);
    }

    private static void say(SyscallProgram.Builder program, String text) {
        program.call(Syscall.WRITE, Arg.of(1), Arg.text(text), Arg.of(text.length()));
    }

    @ParameterizedTest
    @EnumSource(names = {"X86_64", "AARCH64"})
    void callsBranchesLoadsStoresAndSums(Arch arch) throws Exception {
        var program = SyscallProgram.builder().phase("test");
        program.purpose("test");
        var word = Arg.buffer("word", Long.BYTES);
        program.store(Step.Width.LONG, word, Arg.of(-5));
        var loaded = program.load("loaded", Step.Width.LONG, word);
        var sum = program.sum("sum", loaded, Arg.of(12));
        program.store(Step.Width.INT, word, Arg.of(-1));
        var narrow = program.load("narrow", Step.Width.INT, word);
        for (var condition :
                List.of(Step.Condition.EQUAL, Step.Condition.NOT_EQUAL, Step.Condition.LESS, Step.Condition.ANY_BIT)) {
            for (var right : List.of(Arg.of(7), Arg.of(8))) {
                var taken = program.label();
                program.branch(condition, sum, right, taken);
                say(program, "-");
                var done = program.label();
                program.jump(done);
                program.bind(taken);
                say(program, condition.name().substring(0, 1));
                program.bind(done);
            }
        }
        var negative = program.label();
        program.branch(Step.Condition.EQUAL, narrow, Arg.of(-1), negative);
        say(program, "not sign-extended");
        program.bind(negative);
        program.call(Syscall.EXIT_GROUP, sum);
        var ended = run(arch, program.build());
        // 7 == 7, 7 != 8, 7 < 8, 7 & 7.
        assertEquals("E--N-LA-", ended.output());
        assertEquals(7, ended.code());
        assertEquals(0, ended.report().remaining());
    }

    @ParameterizedTest
    @EnumSource(names = {"X86_64", "AARCH64"})
    void errorsAreIgnoredJumpedOnOrReportedAsTheStepSays(Arch arch) throws Exception {
        var program = SyscallProgram.builder().phase("test");
        program.purpose("test");
        program.call(OnError.ignore(Errno.EBADF), Syscall.CLOSE, Arg.of(99));
        say(program, "ignored ");
        var jumped = program.label();
        program.call(OnError.jump(jumped, Errno.EINVAL, Errno.EPERM, Errno.EBADF), Syscall.CLOSE, Arg.of(99));
        say(program, "not jumped ");
        program.bind(jumped);
        say(program, "jumped");
        program.call(OnError.ignore(Errno.EINVAL), Syscall.CLOSE, Arg.of(99));
        say(program, "not reached");
        var built = program.build();
        var ended = run(arch, built);
        assertEquals("ignored jumped", ended.output());
        assertEquals(127, ended.code());
        assertEquals(TableLayout.FAILED, ended.report().getInt(TableLayout.STATE));
        int failed = TableLayout.index(ended.report().getInt(TableLayout.FAILED_STEP));
        assertEquals(built.steps().size() - 2, failed);
        assertEquals(Errno.EBADF.code(), ended.report().getInt(TableLayout.FAILED_ERRNO));
    }

    /** As a zygote's child does: the table lies at an address of its own, and its jumps and failures count from there. */
    @ParameterizedTest
    @EnumSource(names = {"X86_64", "AARCH64"})
    void goesOnInATableThatIsEntered(Arch arch) throws Exception {
        var entered = SyscallProgram.builder().phase("test");
        var there = entered.label();
        entered.jump(there);
        say(entered, "not jumped");
        entered.bind(there);
        say(entered, "entered");
        entered.fail(Arg.of(Errno.EXDEV.code()));
        var inner = Encoder.encode(entered.build(), arch);
        byte[] table = new byte[inner.size()];
        inner.place(MemorySegment.ofArray(table), ENTERED, Map.of());
        ByteBuffer.wrap(table).order(ByteOrder.LITTLE_ENDIAN).putInt(TableLayout.REPORT_FD, STDERR);

        var program = SyscallProgram.builder().phase("test");
        int privateAnonymousFixed = 0x32;
        program.call(
                Syscall.MMAP,
                Arg.of(ENTERED),
                Arg.of(table.length),
                Arg.of(3),
                Arg.of(privateAnonymousFixed),
                Arg.of(-1),
                Arg.of(0));
        var words = ByteBuffer.wrap(Arrays.copyOf(table, table.length + 7 & -8)).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < words.capacity(); at += Long.BYTES) {
            program.store(Step.Width.LONG, Arg.of(ENTERED + at), Arg.of(words.getLong(at)));
        }
        program.enter(Arg.of(ENTERED));
        say(program, "came back");
        var ended = run(arch, program.build());
        assertEquals("entered", ended.output());
        assertEquals(127, ended.code());
        assertEquals(3, TableLayout.index(ended.report().getInt(TableLayout.FAILED_STEP)));
        assertEquals(Errno.EXDEV.code(), ended.report().getInt(TableLayout.FAILED_ERRNO));
    }

    @ParameterizedTest
    @EnumSource(names = {"X86_64", "AARCH64"})
    void executesAndSaysSoBefore(Arch arch) throws Exception {
        var program = SyscallProgram.builder().phase("test");
        program.purpose("test");
        program.execute(
                OnError.fail(),
                Syscall.EXECVE,
                Arg.text("/bin/sh"),
                Arg.argv(List.of("sh", "-c", "echo $0 $V")),
                Arg.envp(List.of("V=executed")));
        var ended = run(arch, program.build());
        assertEquals("sh executed\n", ended.output());
        assertEquals(0, ended.code());
        assertEquals(TableLayout.EXECVE_ATTEMPTED, ended.report().getInt(TableLayout.STATE));
    }
}
