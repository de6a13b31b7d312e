// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

import dev.caisson.seccomp.bpf.Opcode;
import dev.caisson.seccomp.bpf.SeccompData;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The rules of one system call made into tests of its arguments. Two ways are tried and the shorter one taken: rule after
 * rule as they stand, or argument after argument, where the values of an argument are cut into intervals in which the same
 * rules are left.
 */
final class ArgumentTests {
    /** A rule of which some conditions are known to hold already. */
    private record Left(List<Test> tests, int value) {}

    /** Cutting by arguments may multiply; past so many cuts the rules stand as they are. */
    private static final int MOST_CUTS = 400;

    private static final int BOUND = 12;
    private static final double EVEN = 1;

    private final Graph graph;
    private final Set<Pass> passes;
    private final Map<List<Left>, Node> known = new HashMap<>();
    private final Node otherwise;
    private int cuts;

    private ArgumentTests(Graph graph, Set<Pass> passes, int otherwise) {
        this.graph = graph;
        this.passes = passes;
        this.otherwise = graph.ret(otherwise);
    }

    /** {@return the tests that the rules of a call come to, none of which are certain to match} */
    static Node of(Graph graph, Set<Pass> passes, List<Source.Decision> rules, int otherwise) {
        var tests = new ArgumentTests(graph, passes, otherwise);
        var left = rules.stream().map(r -> new Left(r.tests(), r.value())).toList();
        var plain = tests.ruleAfterRule(left);
        if (!passes.contains(Pass.MERGE_INTERVALS)) {
            return plain;
        }
        var cut = tests.cut(tests.simplified(left));
        return cut.filter(node -> Emitter.count(node) <= Emitter.count(plain)).orElse(plain);
    }

    private Node ruleAfterRule(List<Left> rules) {
        var next = otherwise;
        for (var rule : rules.reversed()) {
            var node = graph.ret(rule.value);
            for (var test : rule.tests.reversed()) {
                node = test(test, node, next);
            }
            next = node;
        }
        return next;
    }

    /** A comparison of 64 bits as comparisons of its halves. */
    private Node test(Test t, Node yes, Node no) {
        int high = (int) (t.value() >>> Integer.SIZE);
        int low = (int) t.value();
        var then = t.negated() ? no : yes;
        var otherwise = t.negated() ? yes : no;
        return switch (t.kind()) {
            case EQUAL -> equal(t.argument(), high, low, then, otherwise);
            case GREATER -> greater(t.argument(), Opcode.JGT, high, low, then, otherwise);
            case AT_LEAST -> greater(t.argument(), Opcode.JGE, high, low, then, otherwise);
            case MASKED -> masked(t, then, otherwise);
        };
    }

    private Node equal(int argument, int high, int low, Node yes, Node no) {
        int lowWord = SeccompData.low(argument);
        int highWord = SeccompData.high(argument);
        var lowTest = graph.load(lowWord, graph.test(Opcode.JEQ, low, lowWord, yes, no));
        return graph.load(highWord, graph.test(Opcode.JEQ, high, highWord, lowTest, no));
    }

    private Node greater(int argument, int code, int high, int low, Node yes, Node no) {
        int lowWord = SeccompData.low(argument);
        int highWord = SeccompData.high(argument);
        var lowTest = graph.load(lowWord, graph.test(code, low, lowWord, yes, no));
        var equal = graph.test(Opcode.JEQ, high, highWord, lowTest, no);
        return graph.load(highWord, graph.test(Opcode.JGT, high, highWord, yes, equal));
    }

    private Node masked(Test c, Node yes, Node no) {
        if ((c.value() & ~c.mask()) != 0) {
            return no;
        }
        var high = maskedWord(
                SeccompData.high(c.argument()),
                (int) (c.mask() >>> Integer.SIZE),
                (int) (c.value() >>> Integer.SIZE),
                yes,
                no);
        return maskedWord(SeccompData.low(c.argument()), (int) c.mask(), (int) c.value(), high, no);
    }

    private Node maskedWord(int word, int mask, int value, Node yes, Node no) {
        if (mask == 0) {
            return yes;
        }
        if (mask == -1) {
            return graph.load(word, graph.test(Opcode.JEQ, value, word, yes, no));
        }
        if (value == 0) {
            return graph.load(word, graph.test(Opcode.JSET, mask, word, no, yes));
        }
        if (value == mask && Integer.bitCount(mask) == 1) {
            return graph.load(word, graph.test(Opcode.JSET, mask, word, yes, no));
        }
        // The mask destroys the word, so what follows loads it again if it needs it.
        return graph.load(word, graph.and(mask, graph.test(Opcode.JEQ, value, yes, no)));
    }

    /** Without what can never decide: rules behind an unconditional one, and last ones that change nothing. */
    private List<Left> simplified(List<Left> rules) {
        var some = new ArrayList<Left>();
        for (var rule : rules) {
            some.add(rule);
            if (rule.tests.isEmpty()) {
                break;
            }
        }
        while (!some.isEmpty()) {
            var last = some.getLast();
            var after = otherwise;
            if (last.tests.isEmpty() && some.size() > 1) {
                var before = some.get(some.size() - 2);
                if (before.value != last.value) {
                    break;
                }
                some.remove(some.size() - 2);
            } else if (graph.ret(last.value) == after) {
                some.removeLast();
            } else {
                break;
            }
        }
        return some;
    }

    /** Decides the first argument that has bounds, then what is left; empty if that takes too many cuts. */
    private Optional<Node> cut(List<Left> rules) {
        if (rules.isEmpty()) {
            return Optional.of(otherwise);
        }
        if (rules.getFirst().tests.isEmpty()) {
            return Optional.of(graph.ret(rules.getFirst().value));
        }
        var same = known.get(rules);
        if (same != null) {
            return Optional.of(same);
        }
        if (++cuts > MOST_CUTS) {
            return Optional.empty();
        }
        var bounded = rules.stream()
                .flatMap(r -> r.tests.stream())
                .filter(c -> !c.isMasked())
                .findFirst();
        var node = bounded.isPresent() ? cutValues(rules, bounded.get().argument()) : cutMask(rules);
        node.ifPresent(n -> known.put(rules, n));
        return node;
    }

    private Optional<Node> cutMask(List<Left> rules) {
        var condition = rules.getFirst().tests.getFirst();
        var with = new ArrayList<Left>();
        var without = new ArrayList<Left>();
        for (var rule : rules) {
            if (rule.tests.contains(condition)) {
                with.add(new Left(
                        rule.tests.stream().filter(c -> !c.equals(condition)).toList(), rule.value));
            } else {
                with.add(rule);
                without.add(rule);
            }
        }
        var yes = cut(simplified(with));
        var no = cut(simplified(without));
        return yes.isEmpty() || no.isEmpty() ? Optional.empty() : Optional.of(masked(condition, yes.get(), no.get()));
    }

    private Optional<Node> cutValues(List<Left> rules, int argument) {
        var starts = new TreeSet<Long>(Long::compareUnsigned);
        starts.add(0L);
        for (var rule : rules) {
            for (var c : rule.tests) {
                if (c.argument() == argument && !c.isMasked()) {
                    starts.add(c.value());
                    if (c.value() != -1) {
                        starts.add(c.value() + 1);
                    }
                }
            }
        }
        var values = new ArrayList<Long>();
        var nodes = new ArrayList<Node>();
        for (long start : starts) {
            var left = new ArrayList<Left>();
            for (var rule : rules) {
                var rest = new ArrayList<Test>();
                boolean possible = true;
                for (var c : rule.tests) {
                    if (c.argument() != argument || c.isMasked()) {
                        rest.add(c);
                    } else if (!c.holds(start)) {
                        possible = false;
                        break;
                    }
                }
                if (possible) {
                    left.add(new Left(rest, rule.value));
                }
            }
            var node = cut(simplified(left));
            if (node.isEmpty()) {
                return Optional.empty();
            }
            if (nodes.isEmpty() || nodes.getLast() != node.get()) {
                values.add(start);
                nodes.add(node.get());
            }
        }
        return Optional.of(halves(argument, values, nodes));
    }

    /** A function of 64 bits as one of the high half, whose outcomes may be functions of the low half. */
    private Node halves(int argument, List<Long> starts, List<Node> nodes) {
        if (nodes.size() == 1) {
            return nodes.getFirst();
        }
        var high = new Partition(passes);
        int i = 0;
        while (i < starts.size()) {
            long word = starts.get(i) >>> Integer.SIZE;
            high.upTo(word, nodes.get(Math.max(0, i - 1)), EVEN);
            boolean isWhole = (int) starts.get(i).longValue() == 0;
            int next = i + 1;
            while (next < starts.size() && starts.get(next) >>> Integer.SIZE == word) {
                next++;
            }
            if (isWhole && next == i + 1) {
                high.upTo(word + 1, nodes.get(i), EVEN);
            } else {
                var low = new Partition(passes);
                if (!isWhole) {
                    low.upTo(starts.get(i) & 0xffff_ffffL, nodes.get(i - 1), EVEN);
                }
                for (int j = i; j + 1 < next; j++) {
                    low.upTo(starts.get(j + 1) & 0xffff_ffffL, nodes.get(j), EVEN);
                }
                low.rest(nodes.get(next - 1), EVEN);
                high.upTo(
                        word + 1,
                        graph.load(
                                SeccompData.low(argument),
                                SearchTree.of(graph, low, BOUND).root()),
                        EVEN);
            }
            i = next;
        }
        high.rest(nodes.getLast(), EVEN);
        return graph.load(
                SeccompData.high(argument), SearchTree.of(graph, high, BOUND).root());
    }
}
