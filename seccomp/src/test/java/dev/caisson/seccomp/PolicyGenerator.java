// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Condition.Comparison;
import dev.caisson.seccomp.Seccomp.NewerCalls;
import dev.caisson.seccomp.bpf.SeccompData;
import dev.caisson.seccomp.compile.Pass;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** Policies, calls and sets of passes drawn at random, with a taste for the edges of every rule. */
final class PolicyGenerator {
    private static final List<Syscall> CALLS = Arrays.asList(Syscall.values());
    private static final long[] EDGES = {0, 1, -1, 0xffff_ffffL, 0x1_0000_0000L, Long.MIN_VALUE, Long.MAX_VALUE};

    private final Random random;

    PolicyGenerator(long seed) {
        this.random = new Random(seed);
    }

    Seccomp policy() {
        var arches = EnumSet.noneOf(Arch.class);
        while (arches.isEmpty()) {
            for (var arch : Arch.values()) {
                if (random.nextInt(3) > 0) {
                    arches.add(arch);
                }
            }
        }
        var rules = new ArrayList<Rule>();
        int count = random.nextInt(12);
        for (int i = 0; i < count; i++) {
            rules.add(rule());
        }
        return Seccomp.otherwise(action())
                .architectures(arches)
                .newerCalls(pick(List.of(NewerCalls.values())))
                .withAll(rules);
    }

    private Rule rule() {
        var calls = EnumSet.noneOf(Syscall.class);
        boolean few = random.nextBoolean();
        for (int i = few ? 1 + random.nextInt(2) : random.nextInt(120); i > 0; i--) {
            // Few calls take part in most rules, so that rules meet on one call.
            calls.add(few ? CALLS.get(100 + random.nextInt(4)) : pick(CALLS));
        }
        var conditions = new ArrayList<Condition>();
        for (int i = few ? random.nextInt(4) : random.nextInt(20) / 19; i > 0; i--) {
            conditions.add(condition());
        }
        var arches = random.nextInt(4) > 0 ? EnumSet.allOf(Arch.class) : EnumSet.of(pick(List.of(Arch.values())));
        return new Rule(calls, conditions, action(), arches, "");
    }

    private Condition condition() {
        int argument = random.nextInt(3) > 0 ? 0 : random.nextInt(6);
        var comparison = pick(List.of(Comparison.values()));
        long value = value();
        if (comparison != Comparison.MASKED_EQ) {
            return Condition.of(argument, comparison, value);
        }
        long mask = random.nextBoolean() ? value() : value() & 0xff;
        return new Condition(argument, comparison, random.nextInt(8) > 0 ? value & mask : value, mask);
    }

    long value() {
        return switch (random.nextInt(4)) {
            case 0 -> EDGES[random.nextInt(EDGES.length)] + random.nextInt(3) - 1;
            case 1 -> random.nextInt(40);
            case 2 -> (long) random.nextInt(3) << Integer.SIZE | random.nextInt(4);
            default -> random.nextLong();
        };
    }

    private Action action() {
        return switch (random.nextInt(10)) {
            case 0, 1, 2 -> Action.allow();
            case 3, 4, 5 -> new Action.Fail(1 + random.nextInt(2));
            case 6 -> Action.supervise();
            case 7 -> pick(List.of(Action.log(), new Action.Trace(7), new Action.Fail(0)));
            case 8 -> Action.killProcess();
            default -> pick(List.of(Action.killThread(), new Action.Trap(3)));
        };
    }

    /** A call: mostly one that a rule is about, with arguments at or beside its bounds. */
    SeccompData call(Seccomp policy) {
        var arch = pick(List.of(Arch.values()));
        int token = random.nextInt(30) == 0 ? random.nextInt() : arch.auditArch();
        int number = pick(CALLS).number(arch).orElse(random.nextInt(600));
        long[] args = new long[6];
        Arrays.setAll(args, _ -> value());
        if (!policy.rules().isEmpty() && random.nextInt(4) > 0) {
            var rule = pick(policy.rules());
            if (!rule.calls().isEmpty()) {
                number = pick(List.copyOf(rule.calls())).number(arch).orElse(number);
            }
            for (var c : rule.conditions()) {
                args[c.argument()] = switch (random.nextInt(4)) {
                    case 0 -> c.value();
                    case 1 -> c.value() + random.nextInt(3) - 1;
                    case 2 -> c.value() | value() & ~c.mask();
                    default -> value();
                };
            }
        }
        number += switch (random.nextInt(12)) {
            case 0 -> 1;
            case 1 -> -1;
            default -> 0;
        };
        if (random.nextInt(20) == 0) {
            number = pick(List.of(-1, -2, Integer.MIN_VALUE, Integer.MAX_VALUE, 0x4000_0000, 0x3fff_ffff, 5000));
        }
        return new SeccompData(number, token, random.nextLong(), args[0], args[1], args[2], args[3], args[4], args[5]);
    }

    Set<Pass> passes() {
        var passes = EnumSet.allOf(Pass.class);
        if (random.nextBoolean()) {
            passes.removeIf(_ -> random.nextInt(3) == 0);
        }
        return passes;
    }

    private <T> T pick(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }
}
