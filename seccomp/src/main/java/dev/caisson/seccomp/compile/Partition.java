// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A function of a 32-bit word: the unsigned numbers cut into intervals, each with what follows for it.
 *
 * <p>Built in the order of the numbers, beginning at 0. Not thread-safe while it is built.
 */
public final class Partition {
    static final long END = 1L << Integer.SIZE;

    /**
     * An interval.
     *
     * @param start its first number
     * @param end its last number plus one
     * @param leaf what follows
     * @param weight how often a number of it is looked for, relative to others
     */
    record Run(long start, long end, Node leaf, double weight) {
        boolean isSingle() {
            return end - start == 1;
        }

        /** {@return its only number} */
        int number() {
            return (int) start;
        }
    }

    private final List<Run> runs = new ArrayList<>();
    private final boolean merges;
    /** The interval that may still grow: where it began, what follows, its weight. */
    private long start;

    private long end;
    private @Nullable Node leaf;
    private double weight;

    public Partition(Set<Pass> passes) {
        this.merges = passes.contains(Pass.MERGE_INTERVALS);
    }

    /** Adds the interval from where the last one ended. */
    public void upTo(long last, Node next, double itsWeight) {
        if (last <= end) {
            return;
        }
        if (leaf != null && (leaf != next || !merges)) {
            runs.add(new Run(start, end, leaf, weight));
            start = end;
            weight = 0;
        }
        leaf = next;
        end = last;
        weight += itsWeight;
    }

    /** Adds all numbers that are left. */
    public void rest(Node next, double itsWeight) {
        upTo(END, next, itsWeight);
    }

    List<Run> runs() {
        if (leaf != null) {
            runs.add(new Run(start, end, leaf, weight));
            leaf = null;
        }
        if (end != END) {
            throw new IllegalStateException("the partition does not reach the last number");
        }
        return runs;
    }

    /** {@return what follows for a number} */
    Node at(long number) {
        var runs = runs();
        int low = 0;
        int high = runs.size() - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (runs.get(middle).start() <= number) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return runs.get(low).leaf();
    }
}
