// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

import dev.caisson.seccomp.bpf.Opcode;
import dev.caisson.seccomp.compile.Partition.Run;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a partition into the leaves of a search tree: a leaf is an interval in which some single numbers are tested for
 * equality, one after the other, and all others have one outcome. That outcome may be another search that knows the rest of
 * the interval already. The cheapest cut is found by dynamic programming over where leaves end; a leaf costs its tests, one
 * for the tree, and a share of a price for its height: of the places at the bottom of the tree it takes 2^height.
 *
 * <pre>
 * number    0   1   2   3   4   5   6   7   8   9  10  11  12 ...
 * outcome   A   A   B   A   A   C   C   C   D   C   C   E   E
 * runs     |-----|---|-----|-----------|---|-----|----------
 * leaves   |       A       |         C           |    E          cut where most numbers change
 * tested          2 = B                8 = D                     so single ones cost no leaf of their own
 *
 * tree     at least 5? -- no -&gt; [ = 2? B, else A ]
 *              `- yes -&gt; at least 11? -- no -&gt; [ = 8? D, else C ]
 *                             `- yes -&gt; E
 * </pre>
 *
 * Cut at each run it would be seven leaves with six tests between them; so it is four. Where the other
 * search has the same outcomes from 5 on but for 8, the second leaf may end in that search's part for 5 to 10 instead.
 */
final class Segments {
    /** A leaf: where it begins and ends, the tests and what follows them, how often it is looked for, and its longest way. */
    record Segment(long start, long end, List<Run> tested, Node base, double weight, int height) {
        int tests() {
            return tested.size();
        }
    }

    /** What one more step on the average way costs, in instructions. */
    static final double PER_STEP = 12;

    private static final int LONGEST_CHAIN = 4;
    private static final double LOG_2 = StrictMath.log(2);
    /** Beyond, a leaf is so much too high that more makes no difference. */
    private static final int FAR_TOO_HIGH = 20;

    private final List<Run> runs;
    /** For each run, a small number of its leaf. */
    private final int[] leafOf;

    private final int[] leafHeight;
    private final @Nullable Known other;
    /** For each run, the other search's leaf that knows it, and whether it says the same. */
    private final List<Part> parts = new ArrayList<>();

    private final boolean[] agrees;
    private final int longestChain;

    /** How many runs of the interval looked at have each leaf. */
    private final int[] counts;
    /** The heights of the leaves tested in it, the highest first. */
    private final int[] tested = new int[LONGEST_CHAIN + 1];

    /** The weights of all runs before each. */
    private final double[] sums;

    private final double[] cost;
    private final int[] from;

    /**
     * @param runs what is cut; where another search may be used, fine enough that each run is one run of it too
     * @param other a search that leaves may end in, or null
     */
    Segments(Graph graph, List<Run> runs, @Nullable Known other) {
        this.runs = runs;
        this.other = other;
        this.longestChain = graph.does(Pass.PUNCH_OUT) ? LONGEST_CHAIN : 0;
        int n = runs.size();
        this.leafOf = new int[n];
        this.leafHeight = new int[n];
        this.agrees = new boolean[n];
        var leaves = new IdentityHashMap<Node, Integer>();
        sums = new double[n + 1];
        for (int i = 0; i < n; i++) {
            sums[i + 1] = sums[i] + runs.get(i).weight();
            var leaf = runs.get(i).leaf();
            var known = leaves.putIfAbsent(leaf, leaves.size());
            leafOf[i] = known == null ? leaves.size() - 1 : known;
            leafHeight[i] = leaf.height();
            if (other != null) {
                parts.add(other.root().leaf(runs.get(i).start()));
                agrees[i] = other.at(runs.get(i).start()) == leaf;
            }
        }
        this.counts = new int[leaves.size()];
        this.cost = new double[n + 1];
        this.from = new int[n + 1];
    }

    /**
     * {@return the leaves, in the order of the numbers}
     *
     * @param bound the longest way there should be in the tree
     * @param price what all places at the bottom of such a tree cost
     */
    List<Segment> cut(int bound, double price) {
        for (int end = 1; end <= runs.size(); end++) {
            cost[end] = Double.MAX_VALUE;
            alone(end, bound, price);
            if (other != null) {
                withOther(end, bound, price);
            }
        }
        var segments = new ArrayList<Segment>();
        for (int end = runs.size(); end > 0; end = Math.abs(from[end]) - 1) {
            segments.add(segment(Math.abs(from[end]) - 1, end, from[end] < 0));
        }
        Collections.reverse(segments);
        return segments;
    }

    private void offer(int begin, int end, int tests, double height, boolean shared) {
        // A leaf that is looked for once in n times lies about log2(n) tests deep.
        double share = (sums[end] - sums[begin]) / sums[runs.size()];
        double steps = share > 0 ? share * (tests - StrictMath.log(share) / LOG_2) : 0;
        double total = cost[begin] + 1 + tests + height + PER_STEP * steps;
        if (total < cost[end]) {
            cost[end] = total;
            from[end] = shared ? -(begin + 1) : begin + 1;
        }
    }

    /** Leaves that end at a run, longer and longer, until more equality tests are needed than allowed: they never get fewer. */
    private void alone(int end, int bound, double price) {
        int wide = -1;
        int commonest = -1;
        Arrays.fill(counts, 0);
        for (int begin = end - 1; begin >= 0; begin--) {
            int leaf = leafOf[begin];
            counts[leaf]++;
            if (!runs.get(begin).isSingle()) {
                if (wide >= 0 && wide != leaf) {
                    return;
                }
                wide = leaf;
            }
            if (commonest < 0 || counts[leaf] >= counts[commonest]) {
                commonest = leaf;
            }
            int base = wide >= 0 ? wide : commonest;
            int tests = end - begin - counts[base];
            if (tests > longestChain) {
                return;
            }
            int height = 0;
            int count = 0;
            for (int i = begin; i < end; i++) {
                if (leafOf[i] == base) {
                    height = leafHeight[i];
                } else {
                    count = insert(leafHeight[i], count);
                }
            }
            offer(begin, end, tests, ofHeight(height(count, height), bound, price), false);
        }
    }

    private static double ofHeight(int height, int bound, double price) {
        return Math.scalb(price, Math.min(height - bound, FAR_TOO_HIGH));
    }

    private int insert(int height, int count) {
        int i = count;
        while (i > 0 && tested[i - 1] < height) {
            tested[i] = tested[i - 1];
            i--;
        }
        tested[i] = height;
        return count + 1;
    }

    /** The longest way of a chain of tests, the one with the highest outcome first. */
    private int height(int tests, int base) {
        int height = tests + base;
        for (int i = 0; i < tests; i++) {
            height = Math.max(height, i + 1 + tested[i]);
        }
        return height;
    }

    /** Leaves that test what differs from the other search, and end in the smallest part of it that knows the rest. */
    private void withOther(int end, int bound, double price) {
        int tests = 0;
        var part = parts.get(end - 1);
        long last = runs.get(end - 1).end();
        for (int begin = end - 1; begin >= 0; begin--) {
            var run = runs.get(begin);
            if (!agrees[begin]) {
                if (!run.isSingle() || tests == longestChain) {
                    return;
                }
                tests = insert(leafHeight[begin], tests);
            }
            part = part.around(run.start(), last);
            int height = height(tests, part.node().height());
            if (height > bound) {
                return;
            }
            offer(begin, end, tests, ofHeight(height, bound, price), true);
        }
    }

    private Segment segment(int begin, int end, boolean shared) {
        long start = runs.get(begin).start();
        long last = runs.get(end - 1).end();
        Node base;
        if (shared) {
            base = parts.get(begin).around(start, last).node();
        } else {
            base = base(begin, end);
        }
        var tests = new ArrayList<Run>();
        double weight = 0;
        int count = 0;
        for (int i = begin; i < end; i++) {
            var run = runs.get(i);
            weight += run.weight();
            if (shared ? !agrees[i] : run.leaf() != base) {
                tests.add(run);
                count = insert(leafHeight[i], count);
            }
        }
        tests.sort(Comparator.comparingInt((Run run) -> run.leaf().height()).reversed());
        return new Segment(start, last, tests, base, weight, height(count, base.height()));
    }

    /** The outcome of all that is not tested for equality: that of the wide runs, else the commonest. */
    private Node base(int begin, int end) {
        Arrays.fill(counts, 0);
        int commonest = end - 1;
        for (int i = end - 1; i >= begin; i--) {
            if (!runs.get(i).isSingle()) {
                return runs.get(i).leaf();
            }
            if (++counts[leafOf[i]] >= counts[leafOf[commonest]]) {
                commonest = i;
            }
        }
        return runs.get(commonest).leaf();
    }

    /** {@return the tests of a leaf, in a chain that ends in what follows for all other numbers} */
    static Node node(Graph graph, Segment segment) {
        var node = segment.base;
        for (var run : segment.tested.reversed()) {
            node = graph.test(Opcode.JEQ, run.number(), run.leaf(), node);
        }
        return node;
    }
}
