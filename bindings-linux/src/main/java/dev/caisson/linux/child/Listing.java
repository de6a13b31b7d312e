// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * An encoded program as text, read from the bytes of its table and from nothing else, so that what the stub will walk can
 * be compared with what was planned. {@code [3]} is the result of step 3, {@code &1a0} an address in the table, followed by
 * the string that lies there, if one does.
 *
 * <pre>
 *    0  call openat(-100, &1a0 "/etc/passwd", 80000)
 *    1  call read([0], &1b0, 10)              EAGAIN: goto 3
 * </pre>
 */
final class Listing {
    /** What a call takes; the table always holds six words. */
    private static final int LONGEST_TEXT = 80;

    private final EncodedProgram program;
    private final ByteBuffer table;
    private final int end;

    private Listing(EncodedProgram program) {
        this.program = program;
        this.table = program.bytes();
        // The step after the last one is the encoder's, and what follows it is data.
        this.end = TableLayout.step(program.program().steps().size() + 1);
    }

    static String of(EncodedProgram program) {
        return new Listing(program).text();
    }

    private String text() {
        var targets = new TreeSet<Integer>();
        for (int at = TableLayout.STEPS; at < end; at += TableLayout.STEP_SIZE) {
            var step = TableStep.read(table, at);
            if (step.operation() == OpCode.BRANCH || step.onError() == TableLayout.JUMP) {
                targets.add(step.target());
            }
        }
        var out = new StringBuilder();
        for (int at = TableLayout.STEPS; at < end; at += TableLayout.STEP_SIZE) {
            String line = operation(at, TableStep.read(table, at));
            out.append("%4d%s %s%n".formatted(TableLayout.index(at), targets.contains(at) ? ":" : " ", line));
        }
        return out.toString();
    }

    private String operation(int at, TableStep step) {
        return switch (step.operation()) {
            case CALL -> "call " + call(at, step);
            case EXECVE -> "exec " + call(at, step);
            case BRANCH -> branch(at, step);
            case LOAD_INT -> "load int " + argument(at, step, 0);
            case LOAD_LONG -> "load long " + argument(at, step, 0);
            case STORE_INT -> "store int " + argument(at, step, 0) + " = " + argument(at, step, 1);
            case STORE_LONG -> "store long " + argument(at, step, 0) + " = " + argument(at, step, 1);
            case ADD -> "add " + argument(at, step, 0) + " + " + argument(at, step, 1);
            case ENTER -> "enter " + argument(at, step, 0);
            case FAIL -> "fail " + argument(at, step, 0);
        };
    }

    private String branch(int at, TableStep step) {
        String target = "goto " + TableLayout.index(step.target());
        String left = argument(at, step, 0);
        String right = argument(at, step, 1);
        return switch (step.condition()) {
            case ALWAYS -> target;
            case EQUAL -> "if " + left + " == " + right + " " + target;
            case NOT_EQUAL -> "if " + left + " != " + right + " " + target;
            case LESS -> "if " + left + " < " + right + " " + target;
            case ANY_BIT -> "if " + left + " & " + right + " " + target;
        };
    }

    private String call(int at, TableStep step) {
        var arguments = new ArrayList<String>();
        for (int i = 0; i < used(at, step); i++) {
            arguments.add(argument(at, step, i));
        }
        String name = Syscall.of(program.arch(), step.number())
                .map(Syscall::kernelName)
                .orElse("syscall " + step.number());
        return name + "(" + String.join(", ", arguments) + ")" + onError(step);
    }

    /** The words after the last one that is not zero are shown only where something would be lost without them. */
    private int used(int at, TableStep step) {
        int used = step.args().length;
        while (used > 0
                && step.args()[used - 1] == 0
                && special(TableStep.argument(at, used - 1)).isEmpty()) {
            used--;
        }
        return used;
    }

    private static String onError(TableStep step) {
        String which = step.errnos().length == 0
                ? "any error"
                : Arrays.stream(step.errnos())
                        .mapToObj(e -> new Errno(e).name())
                        .collect(Collectors.joining(" "));
        return switch (step.onError()) {
            case TableLayout.IGNORE -> "  " + which + ": ignored";
            case TableLayout.JUMP -> "  " + which + ": goto " + TableLayout.index(step.target());
            default -> "";
        };
    }

    private String argument(int at, TableStep step, int index) {
        int word = TableStep.argument(at, index);
        long value = step.args()[index];
        if (step.isReference(index)) {
            return "[" + TableLayout.index((int) (value - TableLayout.HOME)) + "]";
        }
        return special(word).orElseGet(() -> value < 0 ? Long.toString(value) : Long.toHexString(value));
    }

    /** {@return an address or a parameter, whose words hold no value yet} */
    private Optional<String> special(int word) {
        if (program.isPointer(word)) {
            int address = (int) (table.getLong(word) - TableLayout.HOME);
            return Optional.of("&" + Integer.toHexString(address) + string(address));
        }
        return program.parameterAt(word).map(Arg.Slot::text);
    }

    private String string(int address) {
        var text = new StringBuilder();
        for (int i = address; i < table.limit() && text.length() < LONGEST_TEXT; i++) {
            byte b = table.get(i);
            if (b == 0) {
                return text.isEmpty() ? "" : " " + Arg.quote(text.toString());
            }
            if (b < ' ' || b == 127) {
                return "";
            }
            text.append((char) b);
        }
        return "";
    }
}
