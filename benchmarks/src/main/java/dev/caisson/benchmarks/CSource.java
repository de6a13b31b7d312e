// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import dev.caisson.launch.LaunchPlan;
import dev.caisson.linux.Arch;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Call;
import dev.caisson.linux.child.OnError;
import dev.caisson.linux.child.Step;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Writes a launch plan as a C function that makes the very same system calls in the same order, so that the engine is
 * measured against C and not against another idea of a container.
 */
final class CSource {
    private static final int LONGEST_LABEL = 90;

    private final LaunchPlan plan;
    private final StringBuilder data = new StringBuilder();
    private final StringBuilder pointers = new StringBuilder();
    private final Map<String, String> buffers = new HashMap<>();
    private int names;

    private CSource(LaunchPlan plan) {
        this.plan = plan;
    }

    /** {@return functions {@code NAME_prepare} and {@code NAME_child}, and the constant {@code NAME_flags}} */
    static String of(String name, LaunchPlan plan) {
        return new CSource(plan).source(name);
    }

    private String source(String name) {
        var body = new StringBuilder();
        var steps = plan.program().steps();
        for (int i = 0; i <= steps.size(); i++) {
            int here = i;
            plan.program().labels().forEach((label, at) -> {
                if (at == here) {
                    body.append("L").append(label.id()).append(": ;\n");
                }
            });
            if (i < steps.size()) {
                body.append(statement(i, steps.get(i).operation()));
            }
        }
        return data + "static const unsigned long " + name + "_flags = " + plan.flags() + "UL;\n"
                + "static void " + name + "_prepare(void) {\n" + pointers + "}\n"
                + "static void " + name + "_child(void) {\n    long r[" + (steps.size() + 1) + "];\n" + body
                + "    _exit(126);\n}\n";
    }

    private String statement(int index, Step.Operation operation) {
        String result = "r[" + index + "]";
        return switch (operation) {
            case Step.Invoke(var call, var onError) -> invoke(result, call, onError);
            case Step.Execute(var call, var onError) -> invoke(result, call, onError);
            case Step.Branch b ->
                "    if (" + condition(b) + ") goto L" + b.target().id() + ";\n";
            case Step.Load(var width, var address) ->
                "    " + result + " = *(" + (width == Step.Width.INT ? "int" : "long") + " *)" + value(address) + ";\n";
            case Step.Store(var width, var address, var value) ->
                "    *(" + (width == Step.Width.INT ? "int" : "long") + " *)" + value(address) + " = " + value(value)
                        + ";\n";
            case Step.Add(var left, var right) -> "    " + result + " = " + value(left) + " + " + value(right) + ";\n";
            case Step.Enter _ -> throw new IllegalStateException("only a zygote enters another table");
            case Step.Fail _ -> "    _exit(127);\n";
        };
    }

    private String condition(Step.Branch b) {
        String left = value(b.left());
        String right = value(b.right());
        return switch (b.condition()) {
            case ALWAYS -> "1";
            case EQUAL -> left + " == " + right;
            case NOT_EQUAL -> left + " != " + right;
            case LESS -> left + " < " + right;
            case ANY_BIT -> "(" + left + " & " + right + ") != 0";
        };
    }

    private String invoke(String result, Call call, OnError onError) {
        var text = new StringBuilder("    AT(\"" + label(call) + "\");\n    " + result + " = raw("
                + call.syscall().number(Arch.host()).orElseThrow());
        for (int i = 0; i < Call.MAX_ARGS; i++) {
            text.append(", ").append(i < call.args().size() ? value(call.args().get(i)) : "0L");
        }
        text.append(");\n");
        switch (onError) {
            case OnError.Fail _ -> text.append("    if (").append(result).append(" < 0) _exit(127);\n");
            case OnError.Ignore _ -> {}
            case OnError.Jump jump ->
                text.append("    if (")
                        .append(result)
                        .append(" < 0) goto L")
                        .append(jump.target().id())
                        .append(";\n");
        }
        return text.toString();
    }

    private static String label(Call call) {
        String text = call.toString().replaceAll("[^ -~]|[\\\\\"]", "'");
        return text.substring(0, Math.min(LONGEST_LABEL, text.length()));
    }

    private String value(Arg arg) {
        return switch (arg) {
            case Arg.Value v -> v.value() + "L";
            case Arg.Slot _ -> "(long)null_fd";
            case Arg.ResultOf r -> "r[" + r.step() + "]";
            case Arg.Text t -> "(long)" + bytes((t.string() + "\0").getBytes(StandardCharsets.UTF_8));
            case Arg.Buffer b -> "(long)" + buffers.computeIfAbsent(b.name(), _ -> bytes(new byte[b.size()]));
            case Arg.Struct s -> {
                String name = bytes(s.data());
                s.pointers()
                        .forEach((offset, target) -> pointers.append("    *(long *)(")
                                .append(name)
                                .append(" + ")
                                .append(offset)
                                .append(") = ")
                                .append(value(target))
                                .append(";\n"));
                yield "(long)" + name;
            }
        };
    }

    private String bytes(byte[] content) {
        String name = "d" + names++ + "_" + Integer.toHexString(System.identityHashCode(this));
        data.append("static unsigned char ").append(name).append("[] __attribute__((aligned(8))) = {");
        for (byte b : content) {
            data.append(b & 0xff).append(',');
        }
        data.append("0};\n");
        return name;
    }
}
