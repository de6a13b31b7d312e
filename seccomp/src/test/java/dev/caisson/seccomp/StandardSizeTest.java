// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.bpf.SeccompData;
import dev.caisson.seccomp.compile.Frequencies;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The size of the standard policy's program; the numbers are promises. */
class StandardSizeTest {
    @Test
    void isSmallAndShallowForThreeArchitectures() {
        var size = Seccomp.standard()
                .architectures(Arch.X86_64, Arch.X86, Arch.X32)
                .compile()
                .explain();
        assertTrue(size.instructions() <= 205, size::toString);
        // That of socket(2), in whose families there are two gaps.
        assertTrue(size.longestPath() <= 15, size::toString);
        assertTrue(size.paths().get(Arch.X86_64).allowedAverage() <= 11, size::toString);
    }

    @Test
    void frequentCallsAreDecidedSooner() {
        var filter = Seccomp.standard()
                .architectures(Arch.X86_64, Arch.X86, Arch.X32)
                .compile();
        double average = Arrays.stream(Syscall.values())
                .filter(call -> call.number(Arch.X86_64).isPresent())
                .mapToInt(call -> call.number(Arch.X86_64).getAsInt())
                .filter(number -> Frequencies.of(Arch.X86_64, number) == Frequencies.OFTEN)
                .map(number -> filter.run(SeccompData.of(Arch.X86_64.auditArch(), number))
                        .executed())
                .average()
                .orElseThrow();
        assertTrue(average <= 9, () -> average + " instructions");
    }

    @Test
    void isSmallForOneArchitecture() {
        var size = Seccomp.standard().architectures(Arch.X86_64).compile().explain();
        assertTrue(size.instructions() <= 70, size::toString);
    }

    @Test
    void aMillionRandomCallsAreDecidedAsTheRulesSay() {
        var policy = Seccomp.standard().architectures(Arch.values());
        var filter = policy.compile();
        var random = new PolicyGenerator(1);
        for (int i = 0; i < 1_000_000; i++) {
            var verdict = filter.evaluate(random.call(policy));
            assertTrue(!verdict.reason().isEmpty());
        }
        for (var arch : Arch.values()) {
            for (int number = 0; number < 1024; number++) {
                var _ = filter.evaluate(
                        SeccompData.of(arch.auditArch(), number | (arch == Arch.X32 ? 0x4000_0000 : 0)));
            }
        }
    }
}
