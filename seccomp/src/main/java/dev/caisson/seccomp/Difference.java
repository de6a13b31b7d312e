// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Condition.Comparison;
import dev.caisson.seccomp.bpf.SeccompData;
import dev.caisson.seccomp.compile.Compiler;
import dev.caisson.seccomp.compile.Convention;
import dev.caisson.seccomp.compile.Graph;
import dev.caisson.seccomp.compile.Node;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * A system call that two policies judge differently, with arguments for which they do.
 *
 * @param call its name, or what kind of number it is
 * @param arguments six values, an example
 */
public record Difference(Arch arch, String call, List<Long> arguments, Filter.Verdict first, Filter.Verdict second) {
    private static final int MOST_POINTS = 20_000;
    private static final int UNKNOWN_NUMBER = 0x3fff_0000;

    public Difference {
        arguments = List.copyOf(arguments);
    }

    /** {@return the calls that two policies judge differently, at most one example for each call and architecture} */
    public static List<Difference> between(Seccomp a, Seccomp b) {
        var all = new ArrayList<Difference>();
        var graph = new Graph(Compiler.ALL);
        for (var arch : Arch.values()) {
            for (var call : Syscall.values()) {
                if (call.number(arch).isPresent()) {
                    int number = call.number(arch).getAsInt();
                    example(graph, a, b, arch, call)
                            .ifPresent(args -> all.add(
                                    of(a, b, arch, call.kernelName(), SeccompData.of(arch.auditArch(), number, args))));
                }
            }
            int unknown = arch == Arch.X32 ? UNKNOWN_NUMBER | Convention.X32_BIT : UNKNOWN_NUMBER;
            var data = SeccompData.of(arch.auditArch(), unknown);
            if (!a.evaluate(data).action().equals(b.evaluate(data).action())) {
                all.add(of(a, b, arch, "newer calls", data));
            }
        }
        return all;
    }

    private static Difference of(Seccomp a, Seccomp b, Arch arch, String call, SeccompData data) {
        var args = new ArrayList<Long>();
        for (int i = 0; i < SeccompData.ARGUMENTS; i++) {
            args.add(data.argument(i));
        }
        return new Difference(arch, call, args, a.evaluate(data), b.evaluate(data));
    }

    private static List<Rule> rules(Seccomp policy, Arch arch, Syscall call) {
        return policy.rules().stream()
                .filter(r -> r.calls().contains(call) && r.architectures().contains(arch))
                .toList();
    }

    /** Equal tests need no example; else each bound of a condition and its neighbours are tried, all combined. */
    private static Optional<long[]> example(Graph graph, Seccomp a, Seccomp b, Arch arch, Syscall call) {
        boolean bothJudge =
                a.architectures().contains(arch) && b.architectures().contains(arch);
        var rules = new ArrayList<>(rules(a, arch, call));
        var others = rules(b, arch, call);
        if (bothJudge && !rules.isEmpty() && !others.isEmpty() && leaf(graph, a, rules) == leaf(graph, b, others)) {
            return Optional.empty();
        }
        rules.addAll(others);
        int number = call.number(arch).orElseThrow();
        var points = new ArrayList<Long[]>();
        long count = 1;
        for (int argument = 0; argument < SeccompData.ARGUMENTS; argument++) {
            var values = values(rules, argument);
            count *= values.length;
            points.add(values);
        }
        for (long n = 0; n < Math.min(count, MOST_POINTS); n++) {
            long rest = n;
            long[] args = new long[SeccompData.ARGUMENTS];
            for (int i = 0; i < args.length; i++) {
                var values = points.get(i);
                args[i] = values[(int) (rest % values.length)];
                rest /= values.length;
            }
            var data = SeccompData.of(arch.auditArch(), number, args);
            if (!a.evaluate(data).action().equals(b.evaluate(data).action())) {
                return Optional.of(args);
            }
        }
        return Optional.empty();
    }

    private static Node leaf(Graph graph, Seccomp policy, List<Rule> rules) {
        return Compiler.leaf(
                graph,
                policy.otherwise().returnValue(),
                rules.stream().map(Sources::decision).toList());
    }

    private static Long[] values(List<Rule> rules, int argument) {
        var values = new TreeSet<Long>(Long::compareUnsigned);
        values.add(0L);
        for (var rule : rules) {
            for (var c : rule.conditions()) {
                if (c.argument() == argument) {
                    values.addAll(Arrays.asList(c.value(), c.value() + 1, c.value() - 1));
                    if (c.comparison() == Comparison.MASKED_EQ) {
                        values.addAll(Arrays.asList(
                                c.value() | ~c.mask(), c.mask(), c.value() ^ Long.lowestOneBit(c.mask())));
                    }
                }
            }
        }
        return values.toArray(Long[]::new);
    }

    @Override
    public String toString() {
        boolean plain = arguments.stream().allMatch(v -> v == 0);
        return arch + " " + call
                + (plain
                        ? ""
                        : arguments.stream()
                                .map(v -> "0x" + Long.toHexString(v))
                                .collect(java.util.stream.Collectors.joining(", ", "(", ")")))
                + ": " + first.action().text() + " / " + second.action().text();
    }
}
