// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the compiler is told of a policy. What a filter does is the value that it returns to the kernel.
 *
 * @param architectures those that are judged at all
 * @param rules in the order in which they decide
 * @param otherwise where no rule decides
 * @param foreign for calls of other architectures
 * @param newer for numbers beyond the last that is old
 * @param lastOld by architecture, without the bit of x32; {@link Convention#NONE_IS_NEW} where it makes no difference
 */
public record Source(
        Set<Arch> architectures, List<Decision> rules, int otherwise, int foreign, int newer, Map<Arch, Long> lastOld) {
    /**
     * A rule.
     *
     * @param tests all of which must hold
     * @param value what the filter returns
     */
    public record Decision(Set<Syscall> calls, Set<Arch> architectures, List<Test> tests, int value) {}

    long lastOld(Arch arch) {
        return lastOld.getOrDefault(arch, Convention.NONE_IS_NEW);
    }
}
