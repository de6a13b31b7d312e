// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.bpf.Instruction;
import dev.caisson.seccomp.compile.Compiler;
import dev.caisson.seccomp.compile.Emitter;
import dev.caisson.seccomp.compile.Graph;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Collectors;

/** Which rules make a program large. */
final class Cost {
    private static final int NAMED = 3;

    private record Call(Syscall syscall, int instructions, String rules) {}

    private Cost() {}

    /** {@return the message for a program over the kernel's limit} */
    static String tooLarge(Seccomp policy, int instructions) {
        return "the filter has " + instructions + " instructions, " + (instructions - Instruction.MOST)
                + " more than the kernel's limit of " + Instruction.MOST + "; the costliest: "
                + dearest(policy).stream()
                        .map(c -> c.syscall + " " + c.instructions + " instructions (" + c.rules + ")")
                        .collect(Collectors.joining(", "))
                + "; merge values into ranges or masks, or install several filters";
    }

    private static List<Call> dearest(Seccomp policy) {
        var calls = EnumSet.noneOf(Syscall.class);
        for (var rule : policy.rules()) {
            if (!rule.conditions().isEmpty()) {
                calls.addAll(rule.calls());
            }
        }
        var graph = new Graph(Compiler.ALL);
        return calls.stream()
                .map(call -> {
                    var rules = policy.rules().stream()
                            .filter(r -> r.calls().contains(call))
                            .toList();
                    int size = Emitter.count(Compiler.leaf(
                            graph,
                            policy.otherwise().returnValue(),
                            rules.stream().map(Sources::decision).toList()));
                    return new Call(call, size, rules.size() + " rules, first: " + rules.getFirst());
                })
                .sorted(Comparator.comparingInt(Call::instructions).reversed())
                .limit(NAMED)
                .toList();
    }
}
