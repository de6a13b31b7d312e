// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

import dev.caisson.seccomp.compile.Partition.Run;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A partition made into tests of the accumulator: a binary tree of "at least" tests over {@link Segments}, chosen among
 * several lengths of equality chains by what it costs. An instruction costs one, one more step on the average way
 * {@value Segments#PER_STEP}, one step of the longest way beyond its bound {@value #PER_EXCESS}.
 */
public final class SearchTree {
    private static final double PER_EXCESS = 30;
    /** Prices of height to cut the leaves at; the cheapest tree that comes of it is taken. */
    private static final double[] PRICES = {2, 16, 48, 128, 256, 512};

    private final Known known;

    private SearchTree(Partition partition, Part root) {
        this.known = new Known(partition, root);
    }

    /**
     * {@return the search in a partition}
     *
     * @param bound how many instructions the longest way should have at most; a wish, not a promise
     */
    public static SearchTree of(Graph graph, Partition partition, int bound) {
        return new SearchTree(partition, best(graph, partition.runs(), null, bound));
    }

    /** {@return the search in a partition, parts of which another search may have already} */
    public static SearchTree of(Graph graph, Partition partition, SearchTree other, int bound) {
        if (!graph.does(Pass.SHARE_X32) || !graph.does(Pass.MERGE_INTERVALS)) {
            return of(graph, partition, bound);
        }
        return new SearchTree(
                partition,
                best(graph, common(partition.runs(), other.known.partition().runs()), other.known, bound));
    }

    /** Cuts runs where the other's begin. */
    private static List<Run> common(List<Run> ours, List<Run> theirs) {
        var runs = new ArrayList<Run>();
        int i = 0;
        for (var run : ours) {
            long start = run.start();
            while (start < run.end()) {
                while (theirs.get(i).end() <= start) {
                    i++;
                }
                long end = Math.min(run.end(), theirs.get(i).end());
                runs.add(new Run(start, end, run.leaf(), run.weight() * (end - start) / (run.end() - run.start())));
                start = end;
            }
        }
        return runs;
    }

    /** {@return the first node; the accumulator must hold the word} */
    public Node root() {
        return known.root().node();
    }

    /** {@return what follows for a number} */
    public Node at(long number) {
        return known.at(number);
    }

    private static Part best(Graph graph, List<Run> runs, @Nullable Known other, int bound) {
        if (other == null) {
            var mask = MaskTest.in(graph, runs);
            if (mask.isPresent()) {
                var rest = best(graph, mask.get().rest(), null, bound - 1);
                return Part.leaf(0, Partition.END, mask.get().before(graph, rest.node()));
            }
        }
        TreeShape best = null;
        double least = Double.MAX_VALUE;
        var segments = new Segments(graph, runs, other);
        for (double price : PRICES) {
            var cut = segments.cut(bound, price);
            var shape = new TreeShape(graph, cut, bound);
            double cost = Segments.PER_STEP * shape.averageDepth() + PER_EXCESS * (shape.height() - bound);
            for (var segment : cut) {
                cost += 1 + segment.tests();
            }
            if (cost >= least) {
                break; // Height has got dear enough: from here on, it only costs instructions.
            }
            least = cost;
            best = shape;
        }
        return Optional.ofNullable(best).orElseThrow().build();
    }
}
