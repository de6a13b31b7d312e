// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.ir;

import dev.caisson.seccomp.bpf.Assembler;
import dev.caisson.seccomp.bpf.Instruction;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Puts a graph into a line, so that every jump goes forward and the ways of a test lie close: nodes nobody needs are gone. */
public final class Emitter {
    private Emitter() {}

    /** {@return the program that begins at a node} */
    public static List<Instruction> emit(Node root) {
        var order = order(root);
        var assembler = new Assembler();
        var labels = new HashMap<Node, Assembler.Label>();
        for (var node : order) {
            labels.put(node, assembler.label());
        }
        for (int i = 0; i < order.size(); i++) {
            var node = order.get(i);
            assembler.bind(label(labels, node));
            switch (node.kind) {
                case RETURN -> assembler.ret(node.k);
                case TEST -> assembler.branch(node.code, node.k, label(labels, node.yes()), label(labels, node.no()));
                case LOAD, AND -> {
                    if (node.kind == Node.Kind.LOAD) {
                        assembler.load(node.k);
                    } else {
                        assembler.and(node.k);
                    }
                    if (order.get(i + 1) != node.yes()) {
                        assembler.jump(label(labels, node.yes()));
                    }
                }
            }
        }
        return assembler.assemble();
    }

    private static Assembler.Label label(Map<Node, Assembler.Label> labels, Node node) {
        var label = labels.get(node);
        if (label == null) {
            throw new IllegalStateException("node " + node.id + " was not ordered");
        }
        return label;
    }

    /** {@return the number of instructions reachable from a node, detours of far jumps not counted} */
    public static int count(Node root) {
        return order(root).size();
    }

    /** Reverse postorder: a node comes before all it leads to. The longer way is visited first, so the shorter lies near. */
    private static List<Node> order(Node root) {
        var order = new ArrayList<Node>();
        var seen = new HashSet<Node>();
        var left = new HashSet<Node>();
        var stack = new ArrayDeque<Node>();
        stack.push(root);
        while (!stack.isEmpty()) {
            var node = stack.peek();
            if (seen.add(node)) {
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
                if (left.add(node)) {
                    order.add(node);
                }
            }
        }
        Collections.reverse(order);
        return order;
    }

    private static void push(ArrayDeque<Node> stack, Set<Node> seen, Node node) {
        if (!seen.contains(node)) {
            stack.push(node);
        }
    }
}
