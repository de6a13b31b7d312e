// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.call;

import dev.caisson.linux.Syscall;
import java.util.List;

/**
 * A system call as a value: it can be printed as strace prints it, made here by {@code HereRunner}, encoded for a cloned
 * child, or run on a simulated kernel.
 *
 * @param args at most six
 */
public record Call(Syscall syscall, List<Arg> args) {
    public static final int MAX_ARGS = 6;

    public Call {
        args = List.copyOf(args);
        if (args.size() > MAX_ARGS) {
            throw new IllegalArgumentException(syscall + " with " + args.size() + " arguments");
        }
    }

    public static Call of(Syscall syscall, Arg... args) {
        return new Call(syscall, List.of(args));
    }

    @Override
    public String toString() {
        return syscall.kernelName() + "(" + Arg.join(args) + ")";
    }
}
