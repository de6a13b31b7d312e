// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.ir;

import dev.caisson.seccomp.bpf.Opcode;
import dev.caisson.seccomp.ir.Partition.Run;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a partition into the leaves of a search tree, as few tests in all as possible: a leaf is an interval in which some
 * single numbers are tested for equality, one after the other, and all others have one outcome. That outcome may be another
 * search that knows the rest of the interval already. (Dynamic programming: the best cut of each beginning.)
 */
final class Segments {
    /** A leaf: the first number, what follows there, and how often it is looked for. */
    record Segment(long start, long end, Node node, double weight, int tests) {}

    private static final double IMPOSSIBLE = 1e9;
    /** Between cuts of equal size the one with the shorter ways wins. */
    private static final double PER_HEIGHT = 0.02;

    private final Graph graph;
    private final List<Run> runs;
    private final @Nullable SearchTree other;
    private final int longestChain;
    private final int highest;

    private final double[] cost;
    private final int[] from;

    private Segments(Graph graph, List<Run> runs, @Nullable SearchTree other, int longestChain, int highest) {
        this.graph = graph;
        this.runs = runs;
        this.other = other;
        this.longestChain = longestChain;
        this.highest = highest;
        this.cost = new double[runs.size() + 1];
        this.from = new int[runs.size() + 1];
    }

    /**
     * {@return the leaves, in the order of the numbers}
     *
     * @param runs what is cut; where another search may be used, fine enough that each run is one run of it too
     * @param other a search that leaves may end in, or null
     * @param longestChain the most equality tests of a leaf
     * @param highest the longest way of a leaf that ends in the other search
     */
    static List<Segment> cut(Graph graph, List<Run> runs, @Nullable SearchTree other, int longestChain, int highest) {
        return new Segments(graph, runs, other, longestChain, highest).cut();
    }

    private List<Segment> cut() {
        for (int end = 1; end <= runs.size(); end++) {
            cost[end] = IMPOSSIBLE;
            alone(end);
            if (other != null) {
                withOther(end, other);
            }
        }
        var segments = new ArrayList<Segment>();
        for (int end = runs.size(); end > 0; end = Math.abs(from[end]) - 1) {
            int begin = Math.abs(from[end]) - 1;
            segments.add(from[end] > 0 ? ownLeaf(begin, end) : sharedLeaf(begin, end));
        }
        Collections.reverse(segments);
        return segments;
    }

    private void offer(int begin, int end, double tests, boolean shared) {
        double total = cost[begin] + (begin == 0 ? 0 : 1) + tests;
        if (total < cost[end]) {
            cost[end] = total;
            from[end] = shared ? -(begin + 1) : begin + 1;
        }
    }

    /** Leaves that end at a run, longer and longer, until more equality tests are needed than allowed: they never get fewer. */
    private void alone(int end) {
        var counts = new IdentityHashMap<Node, Integer>();
        int commonest = 0;
        Node wide = null;
        for (int begin = end - 1; begin >= 0; begin--) {
            var run = runs.get(begin);
            if (!run.isSingle()) {
                if (wide != null && wide != run.leaf()) {
                    return;
                }
                wide = run.leaf();
            }
            commonest = Math.max(commonest, counts.merge(run.leaf(), 1, Integer::sum));
            int ofBase = wide == null ? commonest : counts.getOrDefault(wide, 0);
            int tests = end - begin - ofBase;
            if (tests > longestChain) {
                return;
            }
            offer(begin, end, tests + PER_HEIGHT * tests, false);
        }
    }

    /** The outcome of all that is not tested for equality: that of the wide runs, else the commonest. */
    private Node base(int begin, int end) {
        Node best = runs.get(begin).leaf();
        int most = 0;
        for (int i = begin; i < end; i++) {
            var run = runs.get(i);
            if (!run.isSingle()) {
                return run.leaf();
            }
            int count = 0;
            for (int j = begin; j < end; j++) {
                if (runs.get(j).leaf() == run.leaf()) {
                    count++;
                }
            }
            if (count > most) {
                most = count;
                best = run.leaf();
            }
        }
        return best;
    }

    /** Leaves that test what differs from the other search, and end in the smallest part of it that knows the rest. */
    private void withOther(int end, SearchTree other) {
        int tests = 0;
        for (int begin = end - 1; begin >= 0; begin--) {
            var run = runs.get(begin);
            if (other.at(run.start()) != run.leaf()) {
                tests++;
                if (!run.isSingle() || tests > longestChain) {
                    return;
                }
            }
            var part = other.part(run.start(), runs.get(end - 1).end());
            if (tests + part.height() <= highest) {
                offer(begin, end, tests + PER_HEIGHT * (tests + part.height()), true);
            }
        }
    }

    private Segment ownLeaf(int begin, int end) {
        return leaf(begin, end, base(begin, end), false);
    }

    private Segment sharedLeaf(int begin, int end) {
        if (other == null) {
            throw new IllegalStateException("no other search");
        }
        return leaf(
                begin,
                end,
                other.part(runs.get(begin).start(), runs.get(end - 1).end()),
                true);
    }

    private Segment leaf(int begin, int end, Node base, boolean shared) {
        var node = base;
        double weight = 0;
        int tests = 0;
        for (int i = end - 1; i >= begin; i--) {
            var run = runs.get(i);
            weight += run.weight();
            boolean tested = shared && other != null ? other.at(run.start()) != run.leaf() : run.leaf() != base;
            if (tested) {
                tests++;
                node = graph.test(Opcode.JEQ, run.number(), run.leaf(), node);
            }
        }
        return new Segment(runs.get(begin).start(), runs.get(end - 1).end(), node, weight, tests);
    }
}
