// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.ir;

import dev.caisson.seccomp.ir.SearchTree.Part;
import dev.caisson.seccomp.ir.Segments.Segment;
import java.util.List;

/**
 * The shape of an ordered binary tree over given leaves: the one with the least average depth by Knuth's dynamic programme.
 * While its longest way exceeds the bound, leaves that lie too deep count for more and it is made again.
 */
final class TreeShape {
    /** Beyond so many leaves the best shape takes too long to find, and halving by weight is nearly as good. */
    private static final int MOST_OPTIMAL = 160;

    private static final int ATTEMPTS = 10;

    record Result(Part root, double averageDepth) {}

    private final Graph graph;
    private final List<Segment> leaves;
    private final int bound;
    private final double[] sums;

    TreeShape(Graph graph, List<Segment> leaves, int bound) {
        this.graph = graph;
        this.leaves = leaves;
        this.bound = bound;
        this.sums = new double[leaves.size() + 1];
    }

    Result best() {
        double[] weights = leaves.stream().mapToDouble(Segment::weight).toArray();
        double total = 0;
        for (double weight : weights) {
            total += weight;
        }
        for (int i = 0; i < weights.length; i++) {
            weights[i] += total / weights.length / 8; // What is never looked for must not lie endlessly deep.
        }
        int[] depths = new int[leaves.size()];
        int[][] splits = new int[0][];
        for (int attempt = 0; ; attempt++) {
            sum(weights);
            splits = splits();
            depths(splits, 0, leaves.size() - 1, 0, depths);
            boolean isDeep = false;
            for (int i = 0; i < depths.length; i++) {
                if (depths[i] + leaves.get(i).node().height() > bound) {
                    weights[i] *= 2;
                    isDeep = true;
                }
            }
            if (!isDeep || attempt == ATTEMPTS) {
                break;
            }
        }
        double average = 0;
        for (int i = 0; i < depths.length; i++) {
            average += (depths[i] + leaves.get(i).tests()) * leaves.get(i).weight();
        }
        return new Result(build(splits, 0, leaves.size() - 1), average / Math.max(total, 1e-9));
    }

    private void sum(double[] weights) {
        for (int i = 0; i < weights.length; i++) {
            sums[i + 1] = sums[i] + weights[i];
        }
    }

    /** For each range of leaves, the last one of its lower half; computed on demand where there are too many. */
    private int[][] splits() {
        int n = leaves.size();
        if (n > MOST_OPTIMAL || !graph.does(Pass.BALANCE)) {
            return new int[0][];
        }
        var cost = new double[n][n];
        var split = new int[n][n];
        for (int i = 0; i < n; i++) {
            split[i][i] = i;
        }
        for (int length = 2; length <= n; length++) {
            for (int i = 0; i + length <= n; i++) {
                int j = i + length - 1;
                double least = Double.MAX_VALUE;
                int at = i;
                // The best split moves in step with the range: only those between the neighbours' are tried.
                int last = Math.min(j - 1, split[i + 1][j]);
                for (int k = Math.min(last, split[i][j - 1]); k <= last; k++) {
                    double here = cost[i][k] + cost[k + 1][j];
                    if (here < least) {
                        least = here;
                        at = k;
                    }
                }
                cost[i][j] = least + sums[j + 1] - sums[i];
                split[i][j] = at;
            }
        }
        return split;
    }

    private int split(int[][] splits, int i, int j) {
        if (splits.length > 0) {
            return splits[i][j];
        }
        if (!graph.does(Pass.BALANCE)) {
            return i + (j - i) / 2;
        }
        double half = (sums[i] + sums[j + 1]) / 2;
        int k = i;
        while (k < j - 1 && sums[k + 1] < half) {
            k++;
        }
        // By weight, but never so lopsided that the depth would grow with the number of leaves.
        return Math.clamp(k, i + (j - i) / 8, j - 1 - (j - i) / 8);
    }

    private void depths(int[][] splits, int i, int j, int depth, int[] depths) {
        if (i == j) {
            depths[i] = depth;
            return;
        }
        int k = split(splits, i, j);
        depths(splits, i, k, depth + 1, depths);
        depths(splits, k + 1, j, depth + 1, depths);
    }

    private Part build(int[][] splits, int i, int j) {
        if (i == j) {
            return SearchTree.leaf(leaves.get(i));
        }
        int k = split(splits, i, j);
        return SearchTree.join(graph, build(splits, i, k), build(splits, k + 1, j));
    }
}
