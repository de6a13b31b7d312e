// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

import dev.caisson.seccomp.bpf.Assembler;
import dev.caisson.seccomp.bpf.Instruction;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;

/** Puts a graph into a line, so that every jump goes forward and the ways of a test lie close: nodes nobody needs are gone. */
public final class Emitter {
    private Emitter() {}

    /** {@return the program that begins at a node} */
    public static List<Instruction> emit(Node root) {
        var order = order(root);
        var assembler = new Assembler();
        var labels = new Assembler.Label[root.id + 1];
        for (var node : order) {
            labels[node.id] = assembler.label();
        }
        for (int i = 0; i < order.size(); i++) {
            var node = order.get(i);
            assembler.bind(labels[node.id]);
            switch (node.kind) {
                case RETURN -> assembler.ret(node.k);
                case TEST -> assembler.branch(node.code, node.k, labels[node.yes().id], labels[node.no().id]);
                case LOAD, AND -> {
                    if (node.kind == Node.Kind.LOAD) {
                        assembler.load(node.k);
                    } else {
                        assembler.and(node.k);
                    }
                    if (order.get(i + 1) != node.yes()) {
                        assembler.jump(labels[node.yes().id]);
                    }
                }
            }
        }
        return assembler.assemble();
    }

    /** {@return the number of instructions reachable from a node, detours of far jumps not counted} */
    public static int count(Node root) {
        return order(root).size();
    }

    /** Reverse postorder: a node comes before all it leads to. The longer way is visited first, so the shorter lies near. */
    private static List<Node> order(Node root) {
        var order = new ArrayList<Node>();
        // What follows a node was made before it, so no node reached has a greater id.
        var seen = new BitSet(root.id + 1);
        var left = new BitSet(root.id + 1);
        var stack = new ArrayDeque<Node>();
        stack.push(root);
        while (!stack.isEmpty()) {
            var node = stack.peek();
            if (!seen.get(node.id)) {
                seen.set(node.id);
                switch (node.kind) {
                    case RETURN -> {}
                    case LOAD, AND -> push(stack, seen, node.yes());
                    case TEST -> {
                        boolean yesIsLonger = node.yes().size() > node.no().size();
                        // The stack turns the order round.
                        push(stack, seen, yesIsLonger ? node.no() : node.yes());
                        push(stack, seen, yesIsLonger ? node.yes() : node.no());
                    }
                }
            } else {
                stack.pop();
                if (!left.get(node.id)) {
                    left.set(node.id);
                    order.add(node);
                }
            }
        }
        Collections.reverse(order);
        return order;
    }

    private static void push(ArrayDeque<Node> stack, BitSet seen, Node node) {
        if (!seen.get(node.id)) {
            stack.push(node);
        }
    }
}
