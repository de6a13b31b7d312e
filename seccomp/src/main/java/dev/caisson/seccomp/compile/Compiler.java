// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

import dev.caisson.linux.Arch;
import dev.caisson.seccomp.bpf.Opcode;
import dev.caisson.seccomp.bpf.SeccompData;
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
public final class Compiler {
    /** Every pass. */
    public static final Set<Pass> ALL = java.util.Collections.unmodifiableSet(EnumSet.allOf(Pass.class));

    /** How long the longest way of the program should be; a wish, not a promise. */
    private static final int LONGEST = 14;

    private final Source policy;
    private final Set<Pass> passes;
    private final Graph graph;
    private final Node otherwise;
    private final Node foreign;
    private final Map<List<Integer>, Node> sameRules = new HashMap<>();

    private Compiler(Source policy, Set<Pass> passes) {
        this.policy = policy;
        this.passes = passes;
        this.graph = new Graph(passes);
        this.otherwise = graph.ret(policy.otherwise());
        this.foreign = graph.ret(policy.foreign());
    }

    /**
     * {@return the first node of the program}
     *
     * @param passes the optimisations to make
     */
    public static Node compile(Source policy, Set<Pass> passes) {
        return new Compiler(policy, passes).compile();
    }

    private Node compile() {
        var arches = policy.architectures();
        var tokens = new ArrayList<Arch>();
        if (arches.contains(Arch.X86_64) || arches.contains(Arch.X32)) {
            tokens.add(Arch.X86_64);
        }
        for (var arch : List.of(Arch.X86, Arch.AARCH64)) {
            if (arches.contains(arch)) {
                tokens.add(arch);
            }
        }
        var node = foreign;
        for (int i = tokens.size() - 1; i >= 0; i--) {
            var arch = tokens.get(i);
            // Before the search: the load of the token, as many tests of it, and the load of the number.
            int bound = LONGEST - (i + 3);
            var search = arch == Arch.X86_64
                    ? x86_64(bound - 1)
                    : search(arch, bound).root();
            node = graph.test(Opcode.JEQ, arch.auditArch(), graph.load(SeccompData.NUMBER, search), node);
        }
        return graph.load(SeccompData.ARCH, node);
    }

    /** The numbers of x86_64, those of x32 from bit 30 on, and at the very end the one that is not a call. */
    private Node x86_64(int bound) {
        var own = search(Arch.X86_64, bound);
        // The numbers of both that mean the same are searched once.
        var search = policy.architectures().containsAll(Set.of(Arch.X86_64, Arch.X32))
                ? SearchTree.of(graph, partition(Arch.X32), own, bound - 1)
                : search(Arch.X32, bound - 1);
        var x32 = graph.and(~Convention.X32_BIT, search.root());
        var none = own.at(Integer.toUnsignedLong(Convention.NO_CALL));
        if (search.at(Convention.index(Arch.X32, Convention.NO_CALL)) != none) {
            x32 = graph.test(Opcode.JEQ, Convention.NO_CALL, none, x32);
        }
        // This test is the first, so that the search of x86_64 is whole, to be shared.
        return graph.test(Opcode.JGE, Convention.X32_BIT, x32, own.root());
    }

    private SearchTree search(Arch arch, int bound) {
        if (policy.architectures().contains(arch)) {
            return SearchTree.of(graph, partition(arch), bound);
        }
        var killed = new Partition(passes);
        killed.rest(foreign, 0);
        return SearchTree.of(graph, killed, bound);
    }

    private Node newer(Arch arch) {
        return policy.lastOld(arch) == Convention.NONE_IS_NEW ? otherwise : graph.ret(policy.newer());
    }

    /** All numbers of an architecture. */
    private Partition partition(Arch arch) {
        var partition = new Partition(passes);
        var rules = byNumber(arch);
        long end = Convention.lastKnown(arch) + 1;
        long lastOld = policy.lastOld(arch);
        for (int number = 0; number < end; number++) {
            var these = rules[number];
            var leaf = these != null ? leaf(these) : number <= lastOld ? otherwise : newer(arch);
            partition.upTo(number + 1L, leaf, Frequencies.of(arch, number));
        }
        partition.rest(newer(arch), 0);
        return partition;
    }

    /** For each number the rules about it, in order; null where there are none. */
    private @Nullable List<Integer>[] byNumber(Arch arch) {
        @SuppressWarnings({"unchecked", "rawtypes"}) // Arrays of lists cannot be made otherwise.
        @Nullable
        List<Integer>[] all = new List[1 + (int) Convention.lastKnown(arch)];
        for (int i = 0; i < policy.rules().size(); i++) {
            var rule = policy.rules().get(i);
            if (!rule.architectures().contains(arch)) {
                continue;
            }
            for (var call : rule.calls()) {
                var number = call.number(arch);
                if (number.isPresent()) {
                    int index = (int) Convention.index(arch, number.getAsInt());
                    var these = all[index];
                    if (these == null) {
                        these = new ArrayList<>(1);
                        all[index] = these;
                    }
                    these.add(i);
                }
            }
        }
        return all;
    }

    private Node leaf(List<Integer> indices) {
        var first = policy.rules().get(indices.getFirst());
        if (first.tests().isEmpty()) {
            return graph.ret(first.value());
        }
        var known = sameRules.get(indices);
        if (known != null && passes.contains(Pass.SHARE)) {
            return known;
        }
        var rules = indices.stream().map(policy.rules()::get).toList();
        var node = ArgumentTests.of(graph, passes, rules, policy.otherwise());
        sameRules.put(indices, node);
        return node;
    }

    /**
     * {@return the tests of a call's arguments, or what decides it, made in a graph shared with others to be compared}
     *
     * @param rules those about the call, in order
     */
    public static Node leaf(Graph graph, int otherwise, List<Source.Decision> rules) {
        if (rules.isEmpty()) {
            return graph.ret(otherwise);
        }
        return rules.getFirst().tests().isEmpty()
                ? graph.ret(rules.getFirst().value())
                : ArgumentTests.of(graph, ALL, rules, otherwise);
    }
}
