// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Encoding, seen through the listing, which reads nothing but the encoded bytes. */
class EncoderTest {
    private static String listing(SyscallProgram.Builder program) {
        return Encoder.encode(program.build(), Arch.X86_64).toString();
    }

    private static SyscallProgram.Builder program() {
        return SyscallProgram.builder().phase("test");
    }

    @Example
    void everyOperationCanBeReadBack() {
        var program = program();
        var end = program.label();
        var memory = Arg.buffer("memory", 16);
        var fd = program.result(
                OnError.jump(end, Errno.ENOENT, Errno.EACCES),
                "fd",
                Syscall.OPENAT,
                Arg.of(-100),
                Arg.text("/etc/passwd"),
                Arg.of(0x80000));
        program.call(OnError.ignore(), Syscall.READ, fd, memory, Arg.of(16));
        program.store(Step.Width.INT, memory, Arg.of(5));
        var five = program.load("five", Step.Width.LONG, memory);
        program.sum("sum", five, fd);
        program.branch(Step.Condition.ANY_BIT, five, Arg.of(4), end);
        program.call(Syscall.CLOSE, Arg.slot("pipe"));
        program.bind(end);
        program.fail(Arg.of(Errno.EIO.code()));
        assertEquals("""
                   0  call openat(-100, &308 "/etc/passwd", 80000)  ENOENT EACCES: goto 7
                   1  call read([0], &318, 10)  any error: ignored
                   2  store int &318 = 5
                   3  load long &318
                   4  add [3] + [0]
                   5  if [3] & 4 goto 7
                   6  call close(<pipe>)
                   7: fail 5
                   8  fail 8
                """, listing(program));
    }

    @Example
    void equalStringsAreStoredOnceAndBuffersByName() {
        String listing = listing(program()
                .call(Syscall.CHDIR, Arg.text("/a"))
                .call(Syscall.CHDIR, Arg.text("/a"))
                .call(Syscall.GETCWD, Arg.buffer("b", 8), Arg.of(8))
                .call(Syscall.GETCWD, Arg.buffer("b", 8), Arg.of(8))
                .call(Syscall.GETCWD, Arg.buffer("c", 8), Arg.of(8)));
        var lines = listing.lines().map(line -> line.substring(6)).toList();
        assertEquals(lines.get(0), lines.get(1));
        assertEquals(lines.get(2), lines.get(3));
        assertTrue(!lines.get(3).equals(lines.get(4)), listing);
    }

    @Example
    void aStructsPointersBecomeAddressesWherePlaced() {
        var program = program().call(Syscall.EXECVE, Arg.nullPointer(), Arg.argv(List.of("one", "two")));
        var encoded = Encoder.encode(program.build(), Arch.X86_64);
        try (var arena = Arena.ofConfined()) {
            var placed = arena.allocate(encoded.size(), 8);
            encoded.place(placed, placed.address(), Map.of());
            long argv = placed.get(ValueLayout.JAVA_LONG, TableStep.argument(TableLayout.STEPS, 1)) - placed.address();
            for (int i = 0; i < 2; i++) {
                long string = placed.get(ValueLayout.JAVA_LONG, argv + 8L * i) - placed.address();
                assertEquals(i == 0 ? "one" : "two", placed.getString(string));
            }
            assertEquals(0, placed.get(ValueLayout.JAVA_LONG, argv + 16));
        }
    }

    @Example
    void aParameterWithoutAValueIsNamed() {
        var encoded =
                Encoder.encode(program().call(Syscall.CLOSE, Arg.slot("pipe")).build(), Arch.X86_64);
        try (var arena = Arena.ofConfined()) {
            var thrown = assertThrows(
                    IllegalArgumentException.class,
                    () -> encoded.place(arena.allocate(encoded.size(), 8), 0, Map.of()));
            assertTrue(thrown.getMessage().contains("<pipe>"), thrown.getMessage());
        }
    }

    @Example
    void aCallThatAnArchitectureLacksIsRefused() {
        var program = program().call(Syscall.OPEN, Arg.text("/")).build();
        assertThrows(IllegalArgumentException.class, () -> Encoder.encode(program, Arch.AARCH64));
    }

    @Example
    void aStructCannotHoldAResult() {
        var program = program();
        var pid = program.result("pid", Syscall.GETPID);
        var pointers = new TreeMap<Integer, Arg>(Map.of(0, pid));
        program.call(Syscall.WRITE, Arg.of(1), new Arg.Struct(new byte[8], pointers, "{}"));
        assertThrows(IllegalArgumentException.class, () -> Encoder.encode(program.build(), Arch.X86_64));
    }

    @Example
    void numbersAreThoseOfTheArchitecture() {
        var program = program().call(Syscall.GETPID).call(Syscall.CLONE3).build();
        for (var arch : List.of(Arch.X86_64, Arch.AARCH64)) {
            var table = Encoder.encode(program, arch).bytes();
            assertEquals(
                    Syscall.GETPID.number(arch).orElseThrow(),
                    TableStep.read(table, TableLayout.step(0)).number());
            assertEquals(435, TableStep.read(table, TableLayout.step(1)).number());
        }
    }

    @Example
    void aLabelThatIsNeverBoundIsFoundWhenTheProgramIsBuilt() {
        var program = program();
        program.jump(program.label());
        assertThrows(IllegalStateException.class, program::build);
    }

    @Provide
    Arbitrary<List<RandomProgram.Op>> ops() {
        return RandomProgram.ops();
    }

    /** Every call, every reference and every jump of the plan is in the listing of the bytes. */
    @Property(tries = 300)
    void theListingOfTheBytesAgreesWithThePlan(@ForAll("ops") List<RandomProgram.Op> ops) {
        var program = RandomProgram.of(ops);
        var lines = Encoder.encode(program, Arch.AARCH64).toString().lines().toList();
        assertEquals(program.steps().size() + 1, lines.size());
        for (int i = 0; i < program.steps().size(); i++) {
            String line = lines.get(i);
            switch (program.steps().get(i).operation()) {
                case Step.Invoke(var call, var onError) -> {
                    assertTrue(line.contains("call " + call.syscall().kernelName() + "("), line);
                    for (var arg : call.args()) {
                        if (arg instanceof Arg.ResultOf r) {
                            assertTrue(line.contains("[" + r.step() + "]"), line);
                        } else if (arg instanceof Arg.Text t) {
                            assertTrue(line.contains(t.text()), line);
                        }
                    }
                    if (onError instanceof OnError.Jump jump) {
                        assertTrue(line.endsWith(": goto " + program.target(jump.target())), line);
                    }
                }
                case Step.Branch branch -> assertTrue(line.endsWith("goto " + program.target(branch.target())), line);
                case Step.Execute _ -> assertTrue(line.contains("exec execve(&"), line);
                case Step.Load _ -> assertTrue(line.contains("load "), line);
                case Step.Store _ -> assertTrue(line.contains("store "), line);
                case Step.Add _ -> assertTrue(line.contains(" + "), line);
                case Step.Fail _ -> assertTrue(line.contains("fail "), line);
                case Step.Enter _ -> throw new AssertionError("a random program enters none: " + line);
            }
        }
    }
}
