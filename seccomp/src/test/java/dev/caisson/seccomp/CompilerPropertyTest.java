// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.caisson.seccomp.bpf.Instruction;
import dev.caisson.seccomp.bpf.Interpreter;
import dev.caisson.seccomp.bpf.Verifier;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** What is proven of every program: it says what its policy's rules, read one by one, say. */
class CompilerPropertyTest {
    private static final int CALLS = 60;
    private static final int TRIES = 2_000;

    @Provide
    Arbitrary<Long> seeds() {
        return Arbitraries.longs();
    }

    /** 2,000 policies, 60 calls each: 120,000 cases. A policy comes with the passes that made its program. */
    @Property(tries = TRIES)
    void aProgramDecidesAsTheRulesOfItsPolicy(@ForAll("seeds") long seed) {
        var random = new PolicyGenerator(seed);
        var policy = random.policy();
        var filter = Filter.of(policy, random.passes());
        assertEquals(List.of(), Verifier.check(filter.instructions()));
        for (int i = 0; i < CALLS; i++) {
            var call = random.call(policy);
            assertEquals(
                    policy.evaluate(call).action(),
                    Action.of(Interpreter.run(filter.instructions(), call).value()),
                    () -> call + " under " + policy.rules() + "\n" + filter.listing());
        }
    }

    @Property(tries = 100)
    void equalPoliciesCompileToEqualPrograms(@ForAll("seeds") long seed) {
        assertArrayEquals(
                new PolicyGenerator(seed).policy().compile().program().bytes(),
                new PolicyGenerator(seed).policy().compile().program().bytes());
    }

    @Property(tries = 100)
    void bytesAndInstructionsAreTheSameThing(@ForAll("seeds") long seed) {
        var instructions = new PolicyGenerator(seed).policy().compile().instructions();
        assertEquals(instructions, Instruction.decode(Instruction.encode(instructions)));
    }

    @Property(tries = 100)
    void policiesThatDifferHaveAnExample(@ForAll("seeds") long seed) {
        var random = new PolicyGenerator(seed);
        var a = random.policy();
        var b = random.policy();
        var differences = Difference.between(a, b);
        for (var difference : differences) {
            org.junit.jupiter.api.Assertions.assertNotEquals(
                    difference.first().action(), difference.second().action());
        }
        if (differences.isEmpty()) {
            for (int i = 0; i < CALLS; i++) {
                var call = random.call(i % 2 == 0 ? a : b);
                assertEquals(a.evaluate(call).action(), b.evaluate(call).action());
            }
        }
        assertEquals(List.of(), Difference.between(a, a));
    }
}
