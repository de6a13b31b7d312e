// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.sys.Native;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/**
 * Walks an encoded program in Java, step by step as the stub does in the child, on a kernel that is made up. It tells
 * where a program would end without a process, without privilege, and for every architecture; the tests hold it against the
 * stubs.
 */
public final class Simulator {
    private static final long BASE = ZygoteProgram.REQUEST_ADDRESS;

    /** Programs loop over lists of a few thousand at most; beyond this they never end. */
    private static final int MOST_STEPS = 1_000_000;

    private final EncodedProgram program;
    private final SimulatedKernel kernel;
    private final ByteBuffer table;
    private final SimulatedMemory memory;
    private boolean executionAttempted;

    /** Where in the memory the table lies that is walked now; another one may be entered. */
    private int entered;

    /** How a simulated child ended. */
    public sealed interface End {
        /**
         * An execve succeeded.
         *
         * @param step its index
         */
        record Executed(int step) implements End {}

        /**
         * A step failed.
         *
         * @param step its index; that of the end of the program if it ran off it
         */
        record Failed(int step, Errno errno) implements End {}

        /**
         * It called exit_group(2).
         *
         * @param executionAttempted whether it tried an execve before, so that its launch counts as done
         */
        record Exited(int code, boolean executionAttempted) implements End {}
    }

    private Simulator(EncodedProgram program, Map<Arg.Slot, Integer> parameters, SimulatedKernel kernel) {
        this.program = program;
        this.kernel = kernel;
        byte[] bytes = new byte[program.size()];
        var segment = MemorySegment.ofArray(bytes);
        program.place(segment, BASE, parameters);
        this.table = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        this.memory = new SimulatedMemory(segment, BASE);
    }

    /**
     * Runs a program to its end.
     *
     * @param parameters a value for each parameter of the program
     * @throws IllegalStateException if it seems to loop for ever
     */
    public static End run(EncodedProgram program, Map<Arg.Slot, Integer> parameters, SimulatedKernel kernel) {
        return new Simulator(program, parameters, kernel).walk();
    }

    /** What a step leads to: another one, or the end. */
    private sealed interface Next {
        record At(int offset) implements Next {}

        record Over(End end) implements Next {}
    }

    private End walk() {
        int at = entered + TableLayout.STEPS;
        for (int steps = 0; steps < MOST_STEPS; steps++) {
            switch (step(at)) {
                case Next.At(int offset) -> at = offset;
                case Next.Over(var end) -> {
                    return end;
                }
            }
        }
        throw new IllegalStateException("the program did not end within " + MOST_STEPS + " steps");
    }

    private Next step(int at) {
        var step = TableStep.read(table, at);
        long[] args = step.args();
        for (int i = 0; i < args.length; i++) {
            if (step.isReference(i)) {
                args[i] = memory.getLong(args[i]);
            }
        }
        var following = new Next.At(at + TableLayout.STEP_SIZE);
        switch (step.operation()) {
            case CALL -> {
                return call(at, step, args);
            }
            case EXECVE -> {
                executionAttempted = true;
                return call(at, step, args);
            }
            case BRANCH -> {
                return holds(step.condition(), args[0], args[1]) ? new Next.At(entered + step.target()) : following;
            }
            case LOAD_INT -> result(at, memory.getInt(args[0]));
            case LOAD_LONG -> result(at, memory.getLong(args[0]));
            case STORE_INT -> memory.putInt(args[0], (int) args[1]);
            case STORE_LONG -> memory.putLong(args[0], args[1]);
            case ADD -> result(at, args[0] + args[1]);
            case FAIL -> {
                return failed(at, (int) args[0]);
            }
            case ENTER -> {
                entered = Math.toIntExact(args[0] - BASE);
                return new Next.At(entered + TableLayout.STEPS);
            }
        }
        return following;
    }

    private Next call(int at, TableStep step, long[] args) {
        var syscall = Syscall.of(program.arch(), step.number())
                .orElseThrow(() -> new IllegalStateException("system call " + step.number()));
        if (syscall == Syscall.EXIT_GROUP) {
            return new Next.Over(new End.Exited((int) args[0] & 0xff, executionAttempted));
        }
        long result = kernel.call(syscall, args, memory);
        if (result == -Errno.EINTR.code()) {
            return new Next.At(at);
        }
        result(at, result);
        if (!Native.failed(result)) {
            return step.operation() == OpCode.EXECVE
                    ? new Next.Over(new End.Executed(TableLayout.index(at - entered)))
                    : new Next.At(at + TableLayout.STEP_SIZE);
        }
        if (!step.appliesTo((int) -result)) {
            return failed(at, (int) -result);
        }
        return switch (step.onError()) {
            case TableLayout.IGNORE -> new Next.At(at + TableLayout.STEP_SIZE);
            case TableLayout.JUMP -> new Next.At(entered + step.target());
            default -> failed(at, (int) -result);
        };
    }

    private Next failed(int at, int errno) {
        return new Next.Over(new End.Failed(TableLayout.index(at - entered), new Errno(errno)));
    }

    private void result(int at, long value) {
        memory.putLong(BASE + at + TableLayout.STEP_RESULT, value);
    }

    private static boolean holds(Step.Condition condition, long left, long right) {
        return switch (condition) {
            case ALWAYS -> true;
            case EQUAL -> left == right;
            case NOT_EQUAL -> left != right;
            case LESS -> left < right;
            case ANY_BIT -> (left & right) != 0;
        };
    }
}
