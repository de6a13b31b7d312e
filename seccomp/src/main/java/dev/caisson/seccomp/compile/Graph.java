// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

import dev.caisson.seccomp.bpf.Opcode;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes nodes, from the returns up, each different one once. The accumulator is explicit: a test says nothing of the word it
 * tests, so whoever puts a test behind another answers for the accumulator holding the right word.
 *
 * <p>Not thread-safe.
 */
public final class Graph {
    private static final int NONE = -1;

    private record Key(Node.Kind kind, int code, int k, int yes, int no) {}

    private final Set<Pass> passes;
    private final Map<Key, Node> nodes = new HashMap<>();
    private int made;
    /** Asked for many times in a row: the outcome of number after number. */
    private @Nullable Node lastReturn;

    public Graph(Set<Pass> passes) {
        this.passes = passes.isEmpty() ? Set.of() : Collections.unmodifiableSet(EnumSet.copyOf(passes));
    }

    boolean does(Pass pass) {
        return passes.contains(pass);
    }

    /** {@return the end of the program with a word for the kernel} */
    public Node ret(int value) {
        if (lastReturn != null && lastReturn.k == value && does(Pass.SHARE)) {
            return lastReturn;
        }
        lastReturn = node(Node.Kind.RETURN, Opcode.RET, value, null, null);
        return lastReturn;
    }

    /** {@return a load of a word of seccomp_data} */
    public Node load(int offset, Node next) {
        boolean useless = next.kind == Node.Kind.RETURN || next.kind == Node.Kind.LOAD;
        return useless && does(Pass.THREAD_JUMPS) ? next : node(Node.Kind.LOAD, Opcode.LD_ABS, offset, next, null);
    }

    /** {@return a mask over the accumulator} */
    public Node and(int mask, Node next) {
        boolean useless = next.kind == Node.Kind.RETURN || next.kind == Node.Kind.LOAD;
        return useless && does(Pass.THREAD_JUMPS) ? next : node(Node.Kind.AND, Opcode.AND, mask, next, null);
    }

    /** {@return a test of the accumulator, or what follows if both ways are one} */
    public Node test(int code, int k, Node yes, Node no) {
        return yes == no && does(Pass.THREAD_JUMPS) ? yes : node(Node.Kind.TEST, code, k, yes, no);
    }

    /** {@return a test of a word that the accumulator holds: a way that begins by loading it begins behind that load} */
    public Node test(int code, int k, int word, Node yes, Node no) {
        return test(code, k, without(word, yes), without(word, no));
    }

    private Node without(int word, Node node) {
        boolean again = node.kind == Node.Kind.LOAD && node.k == word;
        return again && does(Pass.THREAD_JUMPS) ? node.yes() : node;
    }

    private Node node(Node.Kind kind, int code, int k, @Nullable Node yes, @Nullable Node no) {
        if (!does(Pass.SHARE)) {
            return new Node(made++, kind, code, k, yes, no);
        }
        var key = new Key(kind, code, k, yes == null ? NONE : yes.id, no == null ? NONE : no.id);
        var known = nodes.get(key);
        if (known == null) {
            known = new Node(made++, kind, code, k, yes, no);
            nodes.put(key, known);
        }
        return known;
    }

    /** {@return how many nodes were made, needed or not} */
    public int made() {
        return made;
    }
}
