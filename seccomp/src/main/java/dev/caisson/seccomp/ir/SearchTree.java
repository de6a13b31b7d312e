// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.ir;

import dev.caisson.seccomp.bpf.Opcode;
import dev.caisson.seccomp.ir.Partition.Run;
import dev.caisson.seccomp.ir.Segments.Segment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A partition made into tests of the accumulator: a binary tree of "at least" tests over {@link Segments}, chosen among
 * several lengths of equality chains by what it costs. An instruction costs one, one more step on the average way
 * {@value #PER_STEP}, one step of the longest way beyond its bound {@value #PER_EXCESS}.
 */
public final class SearchTree {
    private static final double PER_STEP = 3;
    private static final double PER_EXCESS = 8;
    private static final int LONGEST_CHAIN = 4;

    /** A part of the tree: all numbers of an interval, and the node that decides between them. */
    record Part(
            long start,
            long end,
            Node node,
            @Nullable Part low,
            @Nullable Part high) {}

    private final Partition partition;
    private final Part root;

    private SearchTree(Partition partition, Part root) {
        this.partition = partition;
        this.root = root;
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
        return new SearchTree(partition, best(graph, common(partition.runs(), other.partition.runs()), other, bound));
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
        return root.node;
    }

    Node at(long number) {
        return partition.at(number);
    }

    /** {@return the node of the smallest part that has all numbers of an interval} */
    Node part(long start, long end) {
        var part = root;
        while (true) {
            if (part.low != null && part.low.end >= end) {
                part = part.low;
            } else if (part.high != null && part.high.start <= start) {
                part = part.high;
            } else {
                return part.node;
            }
        }
    }

    private static Part best(Graph graph, List<Run> runs, @Nullable SearchTree other, int bound) {
        if (other == null) {
            var mask = MaskTest.in(graph, runs);
            if (mask.isPresent()) {
                var rest = best(graph, mask.get().rest(), null, bound - 1);
                return new Part(0, Partition.END, mask.get().before(graph, rest.node), null, null);
            }
        }
        Part best = null;
        double least = Double.MAX_VALUE;
        int longest = graph.does(Pass.PUNCH_OUT) ? LONGEST_CHAIN : 0;
        for (int chain = Math.min(1, longest); chain <= longest; chain++) {
            // A leaf that ends high up in another search makes long ways: those that leave room for a tree are tried.
            for (int highest = other == null ? bound : 2; highest <= bound; highest++) {
                var segments = Segments.cut(graph, runs, other, chain, highest);
                var tree = new TreeShape(graph, segments, bound).best();
                double price = PER_STEP * tree.averageDepth()
                        + PER_EXCESS * Math.max(0, tree.root().node.height() - bound);
                for (var segment : segments) {
                    price += 1 + segment.tests();
                }
                if (price < least) {
                    least = price;
                    best = tree.root();
                }
            }
        }
        return Optional.ofNullable(best).orElseThrow();
    }

    /** {@return a test between two parts} */
    static Part join(Graph graph, Part low, Part high) {
        var node = graph.test(Opcode.JGE, (int) high.start, high.node, low.node);
        return new Part(low.start, high.end, node, low, high);
    }

    static Part leaf(Segment segment) {
        return new Part(segment.start(), segment.end(), segment.node(), null, null);
    }
}
