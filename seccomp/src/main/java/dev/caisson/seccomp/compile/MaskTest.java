// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

import dev.caisson.seccomp.bpf.Opcode;
import dev.caisson.seccomp.compile.Partition.Run;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Single numbers that are all the combinations of a few bits, and have one outcome: one test that no other bit is set stands
 * for all of them. What is left, without those numbers, is searched behind it.
 */
record MaskTest(int bits, Node outcome, List<Run> rest) {
    private static final int MOST = 64;

    /** {@return the test that saves most, if one saves anything} */
    static Optional<MaskTest> in(Graph graph, List<Run> runs) {
        if (!graph.does(Pass.MERGE_MASKS)) {
            return Optional.empty();
        }
        var singles = new LinkedHashMap<Node, Set<Integer>>();
        for (var run : runs) {
            if (run.isSingle()) {
                singles.computeIfAbsent(run.leaf(), _ -> new HashSet<>()).add(run.number());
            }
        }
        for (var entry : singles.entrySet()) {
            var numbers = entry.getValue();
            if (numbers.size() > MOST || numbers.size() < 3 || !numbers.contains(0)) {
                continue;
            }
            int bits = 0;
            int count = 1;
            for (int bit = 1; bit != 0; bit <<= 1) {
                if (hasAll(numbers, bits | bit)) {
                    bits |= bit;
                    count *= 2;
                }
            }
            if (count > 2) {
                return Optional.of(new MaskTest(bits, entry.getKey(), without(runs, bits)));
            }
        }
        return Optional.empty();
    }

    private static boolean hasAll(Set<Integer> numbers, int bits) {
        if (1L << Integer.bitCount(bits) > numbers.size()) {
            return false;
        }
        for (int part = bits; part != 0; part = part - 1 & bits) {
            if (!numbers.contains(part)) {
                return false;
            }
        }
        return true;
    }

    /** The runs as if those numbers had the outcome of their neighbour: they do not get here. */
    private static List<Run> without(List<Run> runs, int bits) {
        var rest = new ArrayList<Run>();
        for (int i = 0; i < runs.size(); i++) {
            var run = runs.get(i);
            boolean known = run.isSingle() && (run.number() & ~bits) == 0;
            var leaf = !known
                    ? run.leaf()
                    : rest.isEmpty() ? runs.get(i + 1).leaf() : rest.getLast().leaf();
            if (!rest.isEmpty() && rest.getLast().leaf() == leaf) {
                var last = rest.removeLast();
                rest.add(new Run(last.start(), run.end(), leaf, last.weight() + run.weight()));
            } else {
                rest.add(new Run(run.start(), run.end(), leaf, run.weight()));
            }
        }
        return rest;
    }

    /** {@return the test, before the search in the rest} */
    Node before(Graph graph, Node rest) {
        return graph.test(Opcode.JSET, ~bits, rest, outcome);
    }
}
