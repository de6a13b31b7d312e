// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

import dev.caisson.seccomp.compile.Segments.Segment;
import java.util.List;

/**
 * The shape of an ordered binary tree over given leaves: halved by weight, again and again, but only where both halves can
 * still be arranged within the bound. A leaf of height h takes 2^h of the 2^bound places at the bottom of the tree, from a
 * multiple of 2^h on; so a range fits if its leaves, put side by side in that way, do.
 */
final class TreeShape {
    /** Places are counted in so many bits; leaves too low to be counted take one place. */
    private static final int BITS = 50;

    private final Graph graph;
    private final List<Segment> leaves;
    private final int[] heights;
    private final double[] sums;
    private final int bound;

    TreeShape(Graph graph, List<Segment> leaves, int bound) {
        this.graph = graph;
        this.leaves = leaves;
        int n = leaves.size();
        this.heights = new int[n];
        this.sums = new double[n + 1];
        double total = 0;
        for (var leaf : leaves) {
            total += leaf.weight();
        }
        for (int i = 0; i < n; i++) {
            heights[i] = leaves.get(i).height();
            // What is never looked for must not lie endlessly deep.
            sums[i + 1] = sums[i] + leaves.get(i).weight() + total / n / 8;
        }
        int least = bound;
        while (lastThatFits(0, n - 1, least) < n - 1) {
            least++;
        }
        this.bound = least;
    }

    /** {@return the longest way: the bound, or the least possible if that is more} */
    int height() {
        return bound;
    }

    /** {@return the average number of tests, weighted} */
    double averageDepth() {
        double weight = 0;
        double depths = 0;
        for (var leaf : leaves) {
            weight += leaf.weight();
            depths += leaf.tests() * leaf.weight();
        }
        return (depths + depths(0, leaves.size() - 1, bound)) / Math.max(weight, 1e-9);
    }

    private double depths(int i, int j, int height) {
        if (i == j) {
            return 0;
        }
        int k = split(i, j, height);
        return sums[j + 1] - sums[i] + depths(i, k, height - 1) + depths(k + 1, j, height - 1);
    }

    Part build() {
        return build(0, leaves.size() - 1, bound);
    }

    private Part build(int i, int j, int height) {
        if (i == j) {
            var leaf = leaves.get(i);
            return Part.leaf(leaf.start(), leaf.end(), Segments.node(graph, leaf));
        }
        int k = split(i, j, height);
        return Part.join(graph, build(i, k, height - 1), build(k + 1, j, height - 1));
    }

    /** The last leaf of the lower half. */
    private int split(int i, int j, int height) {
        if (!graph.does(Pass.BALANCE)) {
            return i + (j - i) / 2;
        }
        int most = Math.min(j - 1, lastThatFits(i, j, height - 1));
        int least = Math.max(i, firstThatFits(i, j, height - 1) - 1);
        double half = (sums[i] + sums[j + 1]) / 2;
        int k = least;
        while (k < most && sums[k + 1] < half) {
            k++;
        }
        boolean isPreviousNearer = k > least && half - sums[k] < sums[k + 1] - half;
        return isPreviousNearer ? k - 1 : k;
    }

    /** The last leaf up to which those from i on fit into a tree. */
    private int lastThatFits(int i, int j, int height) {
        long at = 0;
        for (int k = i; k <= j; k++) {
            at = after(at, k, height);
            if (at < 0) {
                return k - 1;
            }
        }
        return j;
    }

    /** The first leaf from which on those up to j fit into a tree. */
    private int firstThatFits(int i, int j, int height) {
        long at = 0;
        for (int k = j; k >= i; k--) {
            at = after(at, k, height);
            if (at < 0) {
                return k + 1;
            }
        }
        return i;
    }

    /** The place behind a leaf that is put at the first multiple of its size; negative if that is beyond the last. */
    private long after(long at, int leaf, int height) {
        if (heights[leaf] > height) {
            return -1;
        }
        int scale = Math.max(0, height - BITS);
        long size = 1L << Math.max(0, heights[leaf] - scale);
        long end = (at + size - 1 & -size) + size;
        return end > 1L << height - scale ? -1 : end;
    }
}
