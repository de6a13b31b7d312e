// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/**
 * Programs of harmless calls, some of which fail, with all that a table can express: references, loads, stores, sums,
 * branches and every rule for errors. They only jump forward, so they end. At last they write all results and their memory
 * to the parameter {@code out} and exit.
 */
final class RandomProgram {
    static final Arg.Slot OUT = Arg.slot("out");
    static final int EXIT_CODE = 42;
    static final int PR_SET_PDEATHSIG = 1;
    static final int PR_GET_PDEATHSIG = 2;
    static final int NO_DESCRIPTOR = 0x7fff_fff0;
    private static final int MEMORY = 64;
    private static final List<Long> VALUES =
            List.of(0L, 1L, -1L, 9L, 0x1ffL, 77L, 0x7fff_ffffL, -0x8000_0000L, Long.MAX_VALUE, Long.MIN_VALUE, -4095L);

    /** A step to be, in numbers, so that a failing program can be shrunk. */
    record Op(int kind, int a, int b, int target, int onError) {}

    private RandomProgram() {}

    static Arbitrary<List<Op>> ops() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 14),
                        Arbitraries.integers().between(0, 999),
                        Arbitraries.integers().between(0, 999),
                        Arbitraries.integers().between(0, 4),
                        Arbitraries.integers().between(0, 19))
                .as(Op::new)
                .list()
                .ofMaxSize(30);
    }

    static SyscallProgram of(List<Op> ops) {
        return new Builder(ops).build();
    }

    private static final class Builder {
        private final List<Op> ops;
        private final SyscallProgram.Builder program = SyscallProgram.builder().phase("random");
        private final List<Arg.ResultOf> results = new ArrayList<>();
        private final List<Label> labels = new ArrayList<>();
        private final Arg memory = Arg.buffer("memory", MEMORY);

        Builder(List<Op> ops) {
            this.ops = ops;
            for (int i = 0; i <= ops.size(); i++) {
                labels.add(program.label());
            }
        }

        SyscallProgram build() {
            for (int i = 0; i < ops.size(); i++) {
                program.bind(labels.get(i));
                add(
                        ops.get(i),
                        labels.get(Math.min(ops.size(), i + 1 + ops.get(i).target())));
            }
            program.bind(labels.get(ops.size()));
            var all = Arg.buffer("results", Math.max(1, results.size()) * Long.BYTES);
            for (int i = 0; i < results.size(); i++) {
                var place = program.sum("place", all, Arg.of(i * Long.BYTES));
                program.store(Step.Width.LONG, place, results.get(i));
            }
            program.call(Syscall.WRITE, OUT, all, Arg.of(results.size() * Long.BYTES));
            program.call(Syscall.WRITE, OUT, memory, Arg.of(MEMORY));
            execute(OnError.ignore());
            program.call(Syscall.EXIT_GROUP, Arg.of(EXIT_CODE));
            return program.build();
        }

        private void add(Op op, Label target) {
            var onError = onError(op, target);
            switch (op.kind()) {
                case 0 -> call(onError, Syscall.UMASK, value(op.a()));
                case 1 -> call(onError, Syscall.CLOSE, Arg.of(NO_DESCRIPTOR));
                case 2 ->
                    call(
                            onError,
                            Syscall.PRCTL,
                            Arg.of(PR_SET_PDEATHSIG),
                            value(op.a()),
                            Arg.of(0),
                            Arg.of(0),
                            Arg.of(0));
                case 3 -> {
                    var address = program.sum("address", memory, Arg.of(op.a() % (MEMORY / 8) * 8));
                    call(onError, Syscall.PRCTL, Arg.of(PR_GET_PDEATHSIG), address, Arg.of(0), Arg.of(0), Arg.of(0));
                }
                case 4 -> call(onError, Syscall.CHDIR, Arg.text(op.a() % 2 == 0 ? "/" : "/nowhere"));
                case 5 -> call(onError, Syscall.LSEEK, Arg.of(-1), value(op.a()), value(op.b()));
                case 6 -> results.add(program.load("loaded", width(op), address(op)));
                case 7 -> program.store(width(op), address(op), value(op.b()));
                case 8 -> results.add(program.sum("sum", value(op.a()), value(op.b())));
                case 9, 10 ->
                    program.branch(
                            Step.Condition.values()[op.onError() % Step.Condition.values().length],
                            value(op.a()),
                            value(op.b()),
                            target);
                case 11 -> call(onError, Syscall.GETPGID, Arg.of(NO_DESCRIPTOR));
                case 12 -> call(onError, Syscall.DUP, Arg.of(-1));
                case 13 -> execute(onError);
                case 14 -> {
                    if (op.a() % 4 == 0) {
                        program.fail(Arg.of(1 + op.b() % 130));
                    } else {
                        call(onError, Syscall.KILL, Arg.of(NO_DESCRIPTOR), Arg.of(0));
                    }
                }
                default -> throw new AssertionError(op);
            }
        }

        private void call(OnError onError, Syscall syscall, Arg... args) {
            results.add(program.result(onError, "result", syscall, args));
        }

        private void execute(OnError onError) {
            program.execute(onError, Syscall.EXECVE, Arg.text("/nowhere"), Arg.argv(List.of("x")), Arg.envp(List.of()));
        }

        private Step.Width width(Op op) {
            return op.onError() % 2 == 0 ? Step.Width.INT : Step.Width.LONG;
        }

        private Arg address(Op op) {
            return program.sum("address", memory, Arg.of(op.a() % (MEMORY / 8) * 8));
        }

        private Arg value(int choice) {
            return choice % 2 == 1 && !results.isEmpty()
                    ? results.get(choice / 2 % results.size())
                    : Arg.of(VALUES.get(choice / 2 % VALUES.size()));
        }

        private static OnError onError(Op op, Label target) {
            return switch (op.onError()) {
                case 0 -> OnError.fail();
                case 1 -> OnError.ignore(Errno.EBADF);
                case 2 -> OnError.ignore(Errno.EPERM, Errno.EBADF);
                case 3 -> OnError.jump(target, Errno.EPERM, Errno.EIO, Errno.ENOENT);
                case 4, 5, 6 -> OnError.jump(target, Errno.ESRCH, Errno.EBADF, Errno.EINVAL);
                case 7, 8, 9, 10 -> OnError.jump(target);
                default -> OnError.ignore();
            };
        }
    }
}
