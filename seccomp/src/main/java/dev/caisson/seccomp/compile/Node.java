// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

import org.jspecify.annotations.Nullable;

/** A place in the program to be: what is done there, and where it goes on. Made by {@link Graph} only; equal means same. */
public final class Node {
    /** What is done. */
    enum Kind {
        RETURN,
        LOAD,
        AND,
        TEST
    }

    final int id;
    final Kind kind;
    /** The opcode of a test. */
    final int code;
    /** The value to return, the offset to load, the mask, or the operand of the test. */
    final int k;

    private final @Nullable Node yes;
    private final @Nullable Node no;
    private final int height;
    private final int size;

    Node(int id, Kind kind, int code, int k, @Nullable Node yes, @Nullable Node no) {
        this.id = id;
        this.kind = kind;
        this.code = code;
        this.k = k;
        this.yes = yes;
        this.no = no;
        this.height = 1 + Math.max(yes == null ? 0 : yes.height, no == null ? 0 : no.height);
        long sum = 1L + (yes == null ? 0 : yes.size) + (no == null ? 0 : no.size);
        this.size = (int) Math.min(sum, Integer.MAX_VALUE);
    }

    /** Where it goes on: after a load or a mask the only way, after a test the way of the condition that holds. */
    Node yes() {
        if (yes == null) {
            throw new IllegalStateException("nothing follows a return");
        }
        return yes;
    }

    Node no() {
        if (no == null) {
            throw new IllegalStateException("only a test has two ways");
        }
        return no;
    }

    /** {@return the most instructions from here to the end, this one included} */
    public int height() {
        return height;
    }

    /** {@return the number of instructions from here on if nothing were shared} */
    int size() {
        return size;
    }
}
