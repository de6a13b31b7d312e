// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

import dev.caisson.seccomp.bpf.Opcode;
import org.jspecify.annotations.Nullable;

/** A part of a search tree: all numbers of an interval, and the node that decides between them. */
final class Part {
    private final long start;
    private final long end;
    private final Node node;
    private final @Nullable Part low;
    private final @Nullable Part high;
    private @Nullable Part parent;

    private Part(long start, long end, Node node, @Nullable Part low, @Nullable Part high) {
        this.start = start;
        this.end = end;
        this.node = node;
        this.low = low;
        this.high = high;
    }

    /** {@return a part that is not divided any further} */
    static Part leaf(long start, long end, Node node) {
        return new Part(start, end, node, null, null);
    }

    /** {@return a test between two parts} */
    static Part join(Graph graph, Part low, Part high) {
        var node = graph.test(Opcode.JGE, (int) high.start, high.node, low.node);
        var part = new Part(low.start, high.end, node, low, high);
        low.parent = part;
        high.parent = part;
        return part;
    }

    Node node() {
        return node;
    }

    /** {@return the smallest part of this one that knows a number} */
    Part leaf(long number) {
        var part = this;
        while (part.low != null && part.high != null) {
            part = number < part.high.start ? part.low : part.high;
        }
        return part;
    }

    /** {@return the smallest part around this one that has all numbers of an interval} */
    Part around(long first, long last) {
        var part = this;
        while (part.parent != null && (part.start > first || part.end < last)) {
            part = part.parent;
        }
        return part;
    }
}
