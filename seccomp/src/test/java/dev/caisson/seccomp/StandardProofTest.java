// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Condition.Comparison;
import dev.caisson.seccomp.bpf.Instruction;
import dev.caisson.seccomp.bpf.Interpreter;
import dev.caisson.seccomp.bpf.Opcode;
import dev.caisson.seccomp.bpf.SeccompData;
import dev.caisson.seccomp.compile.Convention;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Proves a program equal to its rules for all 2^448 calls. Program and rules look at a word only by comparing it with
 * constants, or by asking whether a bit of a mask is set. The constants of both cut the values of each word into classes
 * within which neither can tell two values apart; so it suffices to try one value of each class, in all combinations. Of the
 * arguments only those words and constants count that the program may come to for an architecture and a number.
 */
class StandardProofTest {
    private static final int X32_BIT = 0x4000_0000;
    /** Values with no bit of a mask are classes of their own if they are no more than this many bits make. */
    private static final int FEW_BITS = 10;

    static Stream<Seccomp> policies() {
        return Stream.of(
                Seccomp.standard(),
                Seccomp.standard(Set.of()),
                Seccomp.standard(Set.of("CAP_SYS_ADMIN")),
                Seccomp.standard().architectures(Arch.values()),
                Seccomp.forJvm(),
                Seccomp.noNetwork(),
                Seccomp.pureComputation());
    }

    /** What is asked of one word: where classes begin, and masks. */
    private static final class Questions {
        private final TreeSet<Integer> starts = new TreeSet<>(Integer::compareUnsigned);
        private final Set<Integer> masks = new HashSet<>();

        void compared(int k) {
            starts.add(k);
            if (k != -1) {
                starts.add(k + 1);
            }
        }

        /** {@return a value of each class} */
        List<Integer> values() {
            boolean compares = !starts.isEmpty();
            var values = new TreeSet<>(starts);
            values.add(0);
            for (int mask : masks) {
                int free = ~mask;
                if (Integer.bitCount(free) <= FEW_BITS) {
                    for (int part = free; ; part = part - 1 & free) {
                        values.add(part);
                        values.add(part + 1);
                        if (part == 0) {
                            break;
                        }
                    }
                } else if (compares || masks.size() > 1) {
                    fail("cannot prove: a mask of few bits beside other questions");
                } else {
                    values.add(Integer.lowestOneBit(mask));
                }
            }
            return List.copyOf(values);
        }
    }

    private long calls;

    @ParameterizedTest
    @MethodSource("policies")
    void everyCallIsDecidedAsTheRulesSay(Seccomp policy) {
        prove(policy, policy.compile().instructions());
        assertTrue(calls > 5_000, () -> calls + " classes");
    }

    @Test
    void aProgramWithOneTestTurnedRoundIsNotEqual() {
        var policy = Seccomp.standard().architectures(Arch.X86_64);
        var program = policy.compile().instructions();
        for (int at = 0; at < program.size(); at++) {
            var i = program.get(at);
            if (i.jt() != i.jf()) {
                var wrong = new ArrayList<>(program);
                wrong.set(at, new Instruction(i.code(), i.jf(), i.jt(), i.k()));
                assertThrows(AssertionError.class, () -> prove(policy, wrong), i::toString);
            }
        }
    }

    private void prove(Seccomp policy, List<Instruction> program) {
        calls = 0;
        for (int token : new int[] {
            Arch.X86_64.auditArch(), Arch.X86.auditArch(), Arch.AARCH64.auditArch(), 0, 1, -1, 0x8000_0028
        }) {
            for (int number : numbers(program, policy)) {
                prove(policy, program, token, number);
            }
        }
    }

    /** One number of each class, for all architectures: masking bit 30 moves a class of x32 as a whole. */
    private static Set<Integer> numbers(List<Instruction> program, Seccomp policy) {
        var asked = new Questions();
        for (var instruction : program) {
            if (instruction.code() != Opcode.RET) {
                asked.compared(instruction.k());
            }
        }
        for (var arch : Arch.values()) {
            for (var call : Syscall.values()) {
                call.number(arch).ifPresent(asked::compared);
            }
            long last = Sources.lastOld(policy, arch);
            if (last != Convention.NONE_IS_NEW) {
                asked.compared((int) last);
            }
        }
        var numbers = new TreeSet<>(Integer::compareUnsigned);
        for (int start : asked.starts) {
            for (int bits : new int[] {0, X32_BIT, Integer.MIN_VALUE, X32_BIT | Integer.MIN_VALUE}) {
                numbers.add(start & ~(X32_BIT | Integer.MIN_VALUE) | bits);
            }
            numbers.add(start);
        }
        numbers.addAll(List.of(0, -1, -2));
        return numbers;
    }

    private void prove(Seccomp policy, List<Instruction> program, int token, int number) {
        var asked = new TreeMap<Integer, Questions>();
        askedByProgram(asked, program, token, number);
        Convention.of(token, number)
                .ifPresent(arch -> policy.rules().stream()
                        .filter(rule -> rule.architectures().contains(arch))
                        .filter(rule -> Syscall.of(arch, number)
                                .filter(rule.calls()::contains)
                                .isPresent())
                        .flatMap(rule -> rule.conditions().stream())
                        .forEach(condition -> ask(asked, condition)));
        tryAll(policy, program, token, number, new long[SeccompData.ARGUMENTS], List.copyOf(asked.entrySet()), 0);
    }

    private static void ask(Map<Integer, Questions> asked, Condition c) {
        var low = asked.computeIfAbsent(SeccompData.low(c.argument()), _ -> new Questions());
        var high = asked.computeIfAbsent(SeccompData.high(c.argument()), _ -> new Questions());
        if (c.comparison() != Comparison.MASKED_EQ) {
            low.compared((int) c.value());
            high.compared((int) (c.value() >>> Integer.SIZE));
            return;
        }
        assertEquals(0, c.value(), "cannot prove: masked bits that are set");
        if ((int) c.mask() != 0) {
            low.masks.add((int) c.mask());
        }
        if (c.mask() >>> Integer.SIZE != 0) {
            high.masks.add((int) (c.mask() >>> Integer.SIZE));
        }
    }

    /** Follows the program for a number, both ways where it looks at arguments. Jumps go forward only. */
    private static void askedByProgram(
            Map<Integer, Questions> asked, List<Instruction> program, int token, int number) {
        var held =
                new ArrayList<Set<Long>>(); // For each instruction, what the accumulator may hold: word, and its mask.
        for (int i = 0; i <= program.size(); i++) {
            held.add(new HashSet<>());
        }
        held.getFirst().add(-1L);
        for (int pc = 0; pc < program.size(); pc++) {
            var i = program.get(pc);
            for (long a : held.get(pc)) {
                int word = (int) (a >> Integer.SIZE);
                switch (i.code()) {
                    case Opcode.RET -> {}
                    case Opcode.JA -> held.get(pc + 1 + i.k()).add(a);
                    case Opcode.LD_ABS -> held.get(pc + 1).add((long) i.k() << Integer.SIZE | 0xffff_ffffL);
                    case Opcode.AND -> {
                        assertEquals(SeccompData.NUMBER, word, "cannot prove: arithmetic on arguments");
                        held.get(pc + 1).add((long) word << Integer.SIZE | a & i.k() & 0xffff_ffffL);
                    }
                    case Opcode.JEQ, Opcode.JGT, Opcode.JGE, Opcode.JSET -> {
                        if (word == SeccompData.NUMBER || word == SeccompData.ARCH) {
                            int value = (word == SeccompData.ARCH ? token : number) & (int) a;
                            held.get(pc + 1 + (holds(i, value) ? i.jt() : i.jf()))
                                    .add(a);
                        } else {
                            var questions = asked.computeIfAbsent(word, _ -> new Questions());
                            if (i.code() == Opcode.JSET) {
                                questions.masks.add(i.k());
                            } else {
                                questions.compared(i.k());
                            }
                            held.get(pc + 1 + i.jt()).add(a);
                            held.get(pc + 1 + i.jf()).add(a);
                        }
                    }
                    default -> fail("cannot prove: " + i);
                }
            }
        }
    }

    private static boolean holds(Instruction i, int value) {
        return switch (i.code()) {
            case Opcode.JEQ -> value == i.k();
            case Opcode.JGT -> Integer.compareUnsigned(value, i.k()) > 0;
            case Opcode.JGE -> Integer.compareUnsigned(value, i.k()) >= 0;
            default -> (value & i.k()) != 0;
        };
    }

    private void tryAll(
            Seccomp policy,
            List<Instruction> program,
            int token,
            int number,
            long[] args,
            List<Map.Entry<Integer, Questions>> asked,
            int next) {
        if (next == asked.size()) {
            calls++;
            var data = SeccompData.of(token, number, args);
            assertEquals(
                    policy.evaluate(data).action(),
                    Action.of(Interpreter.run(program, data).value()),
                    data::toString);
            return;
        }
        int word = asked.get(next).getKey();
        int argument = (word - SeccompData.low(0)) / Long.BYTES;
        int shift = word == SeccompData.low(argument) ? 0 : Integer.SIZE;
        for (int value : asked.get(next).getValue().values()) {
            args[argument] = args[argument] & ~(0xffff_ffffL << shift) | (value & 0xffff_ffffL) << shift;
            tryAll(policy, program, token, number, args, asked, next + 1);
        }
    }
}
