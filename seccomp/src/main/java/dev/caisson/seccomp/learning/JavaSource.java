// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.learning;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Condition;
import dev.caisson.seccomp.Condition.Comparison;
import dev.caisson.seccomp.Rule;
import dev.caisson.seccomp.Seccomp;
import java.util.Set;
import java.util.stream.Collectors;

/** Writes a policy as the Java that makes it. */
final class JavaSource {
    private static final int WIDTH = 100;

    private JavaSource() {}

    static String of(Seccomp policy) {
        var out = new StringBuilder();
        out.append("Seccomp.otherwise(").append(action(policy.otherwise())).append(')');
        out.append("\n        .architectures(")
                .append(policy.architectures().stream()
                        .map(arch -> "Arch." + arch.name())
                        .collect(Collectors.joining(", ")))
                .append(')');
        for (var rule : policy.rules()) {
            rule(out, rule);
        }
        return out.toString();
    }

    static String file(Seccomp policy, String className) {
        return """
                import static dev.caisson.linux.Syscall.*;
                import static dev.caisson.seccomp.Arg.arg;

                import dev.caisson.linux.Arch;
                import dev.caisson.linux.Errno;
                import dev.caisson.seccomp.Action;
                import dev.caisson.seccomp.Seccomp;

                /** Learned from what a program does. */
                final class %s {
                    private %s() {}

                    static Seccomp policy() {
                        return %s;
                    }
                }
                """.formatted(className, className, of(policy).replace("\n", "\n        "));
    }

    private static void rule(StringBuilder out, Rule rule) {
        if (!rule.architectures().equals(Set.of(Arch.values()))) {
            throw new IllegalArgumentException("\"" + rule + "\" is not for all architectures");
        }
        var line = new StringBuilder("        ")
                .append(rule.action().equals(Action.allow()) ? ".allow(" : ".on(" + action(rule.action()) + ", ");
        String separator = "";
        for (var call : rule.calls()) {
            String next = separator + call.name();
            if (line.length() + next.length() > WIDTH) {
                out.append('\n').append(line).append(',');
                line = new StringBuilder("                ").append(call.name());
            } else {
                line.append(next);
            }
            separator = ", ";
        }
        for (var condition : rule.conditions()) {
            line.append(", ").append(condition(condition));
        }
        out.append('\n').append(line).append(')');
    }

    private static String condition(Condition c) {
        String arg = "arg(" + c.argument() + ").";
        if (c.comparison() == Comparison.MASKED_EQ) {
            return c.value() == 0
                    ? arg + "hasNone(" + number(c.mask()) + ")"
                    : arg + "masked(" + number(c.mask()) + ", " + number(c.value()) + ")";
        }
        String method = switch (c.comparison()) {
            case EQ -> "is";
            case NE -> "isNot";
            case LT -> "lessThan";
            case LE -> "atMost";
            case GE -> "atLeast";
            case GT -> "moreThan";
            case MASKED_EQ -> throw new AssertionError(c);
        };
        return arg + method + "(" + number(c.value()) + ")";
    }

    private static String number(long value) {
        return value >= 0 && value < 1024
                ? Long.toString(value)
                : "0x" + Long.toHexString(value) + (value == (int) value && value > 0 ? "" : "L");
    }

    private static String action(Action action) {
        return switch (action) {
            case Action.Allow() -> "Action.allow()";
            case Action.KillProcess() -> "Action.killProcess()";
            case Action.KillThread() -> "Action.killThread()";
            case Action.Trap(int data) -> data == 0 ? "Action.trap()" : "new Action.Trap(" + data + ")";
            case Action.Fail(int errno) -> errno(errno);
            case Action.Notify() -> "Action.supervise()";
            case Action.Trace(int data) -> "Action.trace(" + data + ")";
            case Action.Log() -> "Action.log()";
        };
    }

    private static String errno(int number) {
        String name = new Errno(number).toString().replaceFirst(" .*", "");
        return name.matches("E[A-Z0-9]+") ? "Action.fail(Errno." + name + ")" : "new Action.Fail(" + number + ")";
    }
}
