// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static dev.caisson.linux.child.TableLayout.STEP_ARGS;
import static dev.caisson.linux.child.TableLayout.STEP_CONDITION;
import static dev.caisson.linux.child.TableLayout.STEP_ERRNOS;
import static dev.caisson.linux.child.TableLayout.STEP_NUMBER;
import static dev.caisson.linux.child.TableLayout.STEP_ON_ERROR;
import static dev.caisson.linux.child.TableLayout.STEP_OPERATION;
import static dev.caisson.linux.child.TableLayout.STEP_REFERENCES;
import static dev.caisson.linux.child.TableLayout.STEP_RESULT;
import static dev.caisson.linux.child.TableLayout.STEP_TARGET;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Call;
import dev.caisson.linux.call.FileNames;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Turns a program into the table that the stub walks: header, steps, then the strings and structs they point to.
 *
 * <p>Kinds are told apart by instanceof: a switch over types is linked when it is first met, which the first launch of a JVM
 * would wait for, an AOT cache or not.
 */
public final class Encoder {
    private final SyscallProgram program;
    private final Arch arch;
    private final Map<String, Integer> texts = new HashMap<>();
    private final Map<String, Integer> buffers = new HashMap<>();
    private final Map<Arg.Slot, List<Integer>> parameters = new HashMap<>();
    private int[] pointers = new int[256];
    private int pointerCount;
    private ByteBuffer out;

    private Encoder(SyscallProgram program, Arch arch) {
        this.program = program;
        this.arch = arch;
        this.out = ByteBuffer.allocate(TableLayout.step(program.steps().size() + 1) + 8192)
                .order(ByteOrder.LITTLE_ENDIAN);
        buffers.put(SyscallProgram.REPORT_WORD.name(), TableLayout.REPORT_FD);
    }

    /**
     * {@return the table of a program for an architecture}
     *
     * @throws IllegalArgumentException if a call does not exist there
     */
    public static EncodedProgram encode(SyscallProgram program, Arch arch) {
        return new Encoder(program, arch).encode();
    }

    private EncodedProgram encode() {
        int steps = program.steps().size();
        out.putLong(TableLayout.FULL_MASK, -1L);
        out.position(TableLayout.step(steps + 1));
        for (int i = 0; i < steps; i++) {
            encode(TableLayout.step(i), program.steps().get(i).operation());
        }
        // A program that runs off its end must not walk into its own strings.
        encode(TableLayout.step(steps), new Step.Fail(Arg.of(Errno.ENOEXEC.code())));
        return new EncodedProgram(
                program,
                arch,
                Arrays.copyOf(out.array(), out.position()),
                Arrays.copyOf(pointers, pointerCount),
                parameters);
    }

    private void encode(int at, Step.Operation operation) {
        if (operation instanceof Step.Invoke(var call, var onError)) {
            encodeCall(at, OpCode.CALL, call, onError);
        } else if (operation instanceof Step.Execute(var call, var onError)) {
            encodeCall(at, OpCode.EXECVE, call, onError);
        } else if (operation instanceof Step.Branch(var condition, var left, var right, var target)) {
            operation(at, OpCode.BRANCH, left, right);
            out.put(at + STEP_CONDITION, (byte) condition.ordinal());
            out.putInt(at + STEP_TARGET, TableLayout.step(program.target(target)));
        } else if (operation instanceof Step.Load(var width, var address)) {
            operation(at, width == Step.Width.INT ? OpCode.LOAD_INT : OpCode.LOAD_LONG, address);
        } else if (operation instanceof Step.Store(var width, var address, var value)) {
            operation(at, width == Step.Width.INT ? OpCode.STORE_INT : OpCode.STORE_LONG, address, value);
        } else if (operation instanceof Step.Add(var left, var right)) {
            operation(at, OpCode.ADD, left, right);
        } else if (operation instanceof Step.Fail(var errno)) {
            operation(at, OpCode.FAIL, errno);
        } else if (operation instanceof Step.Enter(var address)) {
            operation(at, OpCode.ENTER, address);
        } else {
            throw new AssertionError(operation);
        }
    }

    private void encodeCall(int at, OpCode operation, Call call, OnError onError) {
        var number = call.syscall().number(arch);
        if (number.isEmpty()) {
            throw new IllegalArgumentException(call.syscall() + " does not exist on " + arch);
        }
        operation(at, operation, call.args().toArray(new Arg[0]));
        out.putShort(at + STEP_NUMBER, (short) number.getAsInt());
        if (onError instanceof OnError.Ignore) {
            out.put(at + STEP_ON_ERROR, (byte) TableLayout.IGNORE);
        } else if (onError instanceof OnError.Jump jump) {
            out.put(at + STEP_ON_ERROR, (byte) TableLayout.JUMP);
            out.putInt(at + STEP_TARGET, TableLayout.step(program.target(jump.target())));
        }
        for (int i = 0; i < onError.errnos().size(); i++) {
            out.putShort(at + STEP_ERRNOS + i * Short.BYTES, (short)
                    onError.errnos().get(i).code());
        }
    }

    private void operation(int at, OpCode operation, Arg... args) {
        out.put(at + STEP_OPERATION, (byte) operation.ordinal());
        int references = 0;
        for (int i = 0; i < args.length; i++) {
            if (args[i] instanceof Arg.ResultOf) {
                references |= 1 << i;
            }
            write(at + STEP_ARGS + i * Long.BYTES, args[i]);
        }
        out.put(at + STEP_REFERENCES, (byte) references);
    }

    /** Writes an argument into a 64-bit word of the table. */
    @SuppressWarnings("IfChainToSwitch") // A switch would be linked at the first launch.
    private void write(int at, Arg arg) {
        if (arg instanceof Arg.Value value) {
            out.putLong(at, value.value());
        } else if (arg instanceof Arg.ResultOf result) {
            pointer(at, TableLayout.step(result.step()) + STEP_RESULT);
        } else if (arg instanceof Arg.Text text) {
            pointer(at, place(text));
        } else if (arg instanceof Arg.Struct struct) {
            pointer(at, place(struct));
        } else if (arg instanceof Arg.Buffer buffer) {
            pointer(at, place(buffer));
        } else if (arg instanceof Arg.Slot parameter) {
            var all = parameters.get(parameter);
            if (all == null) {
                all = new ArrayList<>();
                parameters.put(parameter, all);
            }
            all.add(at);
        } else {
            throw new AssertionError(arg);
        }
    }

    private void pointer(int at, int target) {
        if (pointerCount == pointers.length) {
            pointers = Arrays.copyOf(pointers, 2 * pointerCount);
        }
        pointers[pointerCount++] = at;
        out.putLong(at, TableLayout.HOME + target);
    }

    private int place(Arg.Text text) {
        Integer known = texts.get(text.string());
        if (known != null) {
            return known;
        }
        byte[] bytes = FileNames.encode(text.string());
        int at = reserve(bytes.length + 1, 1);
        out.put(at, bytes);
        texts.put(text.string(), at);
        return at;
    }

    private int place(Arg.Struct struct) {
        // Not shared like texts: a result referred to inside would be read at another time.
        byte[] data = struct.data();
        int at = reserve(data.length, Long.BYTES);
        out.put(at, data);
        for (var pointer : struct.pointers().entrySet()) {
            if (pointer.getValue() instanceof Arg.ResultOf) {
                throw new IllegalArgumentException("a struct cannot hold the result of a step; store it first");
            }
            write(at + pointer.getKey(), pointer.getValue());
        }
        return at;
    }

    private int place(Arg.Buffer buffer) {
        Integer known = buffers.get(buffer.name());
        if (known != null) {
            return known;
        }
        int at = reserve(buffer.size(), Long.BYTES);
        buffers.put(buffer.name(), at);
        return at;
    }

    private int reserve(int size, int alignment) {
        int at = (out.position() + alignment - 1) & -alignment;
        if (at + size > out.capacity()) {
            var larger = ByteBuffer.allocate(2 * (at + size)).order(ByteOrder.LITTLE_ENDIAN);
            larger.put(0, out.array(), 0, out.position());
            out = larger;
        }
        out.position(at + size);
        return at;
    }
}
