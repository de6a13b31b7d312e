// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.seccomp.bpf.Opcode;
import dev.caisson.seccomp.bpf.SeccompData;
import dev.caisson.seccomp.ir.Graph;
import dev.caisson.seccomp.ir.Node;
import dev.caisson.seccomp.ir.Partition;
import dev.caisson.seccomp.ir.Pass;
import dev.caisson.seccomp.ir.SearchTree;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * From a policy to the graph of its filter: for each architecture a search in its numbers, whose leaves are actions or tests
 * of arguments; before them the architecture. Equal policies come to equal programs, whenever and wherever.
 */
final class Compiler {
    static final Set<Pass> ALL = java.util.Collections.unmodifiableSet(EnumSet.allOf(Pass.class));

    /** The longest way through a search that leaves 14 instructions in all: arch, token, number, and the way out. */
    private static final int BOUND = 11;

    private static final int BOUND_OTHERS = 10;
    private static final int BOUND_X32 = 7;
    private static final double ONE = 1;
    private static final long NUMBERS = 1L << Integer.SIZE;

    private final Seccomp policy;
    private final Set<Pass> passes;
    private final Graph graph;
    private final Node otherwise;
    private final Node foreign;
    private final Map<List<Integer>, Node> sameRules = new HashMap<>();

    Compiler(Seccomp policy, Set<Pass> passes) {
        this.policy = policy;
        this.passes = passes;
        this.graph = new Graph(passes);
        this.otherwise = graph.ret(policy.otherwise().returnValue());
        this.foreign = graph.ret(Action.killProcess().returnValue());
    }

    /** {@return the first node of the program} */
    Node compile() {
        var node = foreign;
        for (var arch : List.of(Arch.AARCH64, Arch.X86)) {
            if (policy.architectures().contains(arch)) {
                var partition = new Partition(passes);
                fill(partition, arch, NUMBERS);
                node = token(arch, SearchTree.of(graph, partition, BOUND_OTHERS).root(), node);
            }
        }
        if (policy.architectures().contains(Arch.X86_64)
                || policy.architectures().contains(Arch.X32)) {
            node = token(Arch.X86_64, x86_64(), node);
        }
        return graph.load(SeccompData.ARCH, node);
    }

    private Node token(Arch arch, Node search, Node others) {
        var numbers = graph.load(SeccompData.NUMBER, search);
        return graph.test(Opcode.JEQ, arch.auditArch(), numbers, others);
    }

    /** The numbers of x86_64, those of x32 from bit 30 on, and at the very end the one that is no call. */
    private Node x86_64() {
        boolean has64 = policy.architectures().contains(Arch.X86_64);
        var own = new Partition(passes);
        if (has64) {
            fill(own, Arch.X86_64, Convention.X32_BIT);
        } else {
            own.upTo(Convention.X32_BIT, foreign, ONE);
        }
        var x32 = foreign;
        if (policy.architectures().contains(Arch.X32)) {
            var numbers = new Partition(passes);
            fill(numbers, Arch.X32, NUMBERS);
            SearchTree search;
            if (has64) {
                // What x86_64 alone would search: the numbers of both that mean the same are searched once.
                var alone = new Partition(passes);
                fill(alone, Arch.X86_64, NUMBERS);
                search = SearchTree.of(graph, numbers, SearchTree.of(graph, alone, BOUND - 1), BOUND_X32);
            } else {
                search = SearchTree.of(graph, numbers, BOUND_X32);
            }
            x32 = graph.and(~Convention.X32_BIT, search.root());
        }
        own.upTo(NUMBERS - 1, x32, ONE);
        own.rest(has64 ? newer(Arch.X86_64) : foreign, 0);
        return SearchTree.of(graph, own, BOUND).root();
    }

    private Node newer(Arch arch) {
        return Convention.lastOld(policy, arch) == Convention.NONE_IS_NEW
                ? otherwise
                : graph.ret(Action.fail(Errno.ENOSYS).returnValue());
    }

    /** All numbers of an architecture, from 0 to where it ends. */
    private void fill(Partition partition, Arch arch, long end) {
        var rules = byNumber(arch);
        long lastOld = Convention.lastOld(policy, arch);
        int last = rules.size() - 1;
        for (int number = 0; number <= last; number++) {
            var these = rules.get(number);
            partition.upTo(number + 1L, these == null ? otherwise : leaf(these), ONE);
        }
        if (lastOld == Convention.NONE_IS_NEW) {
            partition.upTo(end, otherwise, ONE);
        } else {
            partition.upTo(lastOld + 1, otherwise, ONE);
            partition.upTo(end, newer(arch), ONE);
        }
    }

    /** For each number the rules about it, in order; null where there are none. */
    private List<@Nullable List<Integer>> byNumber(Arch arch) {
        var all = new ArrayList<@Nullable List<Integer>>();
        for (int i = 0; i < policy.rules().size(); i++) {
            var rule = policy.rules().get(i);
            if (!rule.architectures().contains(arch)) {
                continue;
            }
            for (var call : rule.calls()) {
                var number = call.number(arch);
                if (number.isEmpty()) {
                    continue;
                }
                int index = (int) Convention.index(arch, number.getAsInt());
                while (all.size() <= index) {
                    all.add(null);
                }
                var these = all.get(index);
                if (these == null) {
                    all.set(index, List.of(i));
                } else {
                    var more = new ArrayList<>(these);
                    more.add(i);
                    all.set(index, more);
                }
            }
        }
        return all;
    }

    private Node leaf(List<Integer> indices) {
        var known = sameRules.get(indices);
        if (known != null && passes.contains(Pass.SHARE)) {
            return known;
        }
        var rules = indices.stream().map(policy.rules()::get).toList();
        var node = rules.getFirst().conditions().isEmpty()
                ? graph.ret(rules.getFirst().action().returnValue())
                : ArgumentTests.of(graph, passes, rules, policy.otherwise());
        sameRules.put(indices, node);
        return node;
    }

    /** {@return the tests of a call's arguments, or its action, made in a graph shared with others to be compared} */
    static Node leaf(Graph graph, Seccomp policy, List<Rule> rules) {
        if (rules.isEmpty()) {
            return graph.ret(policy.otherwise().returnValue());
        }
        return rules.getFirst().conditions().isEmpty()
                ? graph.ret(rules.getFirst().action().returnValue())
                : ArgumentTests.of(graph, ALL, rules, policy.otherwise());
    }
}
