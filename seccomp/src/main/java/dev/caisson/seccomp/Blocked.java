// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A system call that a policy did not let through, see {@link Seccomp#reporting}.
 *
 * @param pid the number of the calling thread in the JVM's PID namespace
 * @param number of the call in its architecture
 * @param syscall empty if this version knows none of that number
 * @param arguments the six registers
 * @param verdict what became of it, the rule that decided, and why
 */
public record Blocked(
        int pid,
        Optional<Arch> architecture,
        Optional<Syscall> syscall,
        int number,
        List<Long> arguments,
        Filter.Verdict verdict) {
    public Blocked {
        arguments = List.copyOf(arguments);
    }

    static Blocked of(Notification call, Filter.Verdict verdict) {
        return new Blocked(
                call.pid(),
                call.arch(),
                call.syscall(),
                call.number(),
                IntStream.range(0, Condition.ARGUMENTS).mapToObj(call::arg).toList(),
                verdict);
    }

    /** {@return the kernel's name of the call, or its number} */
    public String call() {
        return syscall.map(Syscall::kernelName).orElse("call " + number);
    }

    /** {@return the call as a line: {@code unshare(0x10000000, ...) of 4711: fail with EPERM: no rule is about this call}} */
    @Override
    public String toString() {
        return call()
                + arguments.stream()
                        .map(argument -> "0x" + Long.toHexString(argument))
                        .collect(Collectors.joining(", ", "(", ")"))
                + " of " + pid + ": " + verdict;
    }
}
