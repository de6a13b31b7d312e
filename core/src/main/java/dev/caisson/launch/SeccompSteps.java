// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.of;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.seccomp.FilterFlag;
import java.util.Set;
import java.util.TreeMap;

/** no_new_privs and the seccomp filters, as close to execve as they can be: what comes after must pass them. */
final class SeccompSteps {
    private static final Arg PR_SET_NO_NEW_PRIVS = named(38, "PR_SET_NO_NEW_PRIVS");
    private static final Arg SECCOMP_SET_MODE_FILTER = named(1, "SECCOMP_SET_MODE_FILTER");
    private static final int SOCK_FPROG_SIZE = 16;
    private static final int SOCK_FPROG_FILTER = 8;

    private final PlanInput input;
    private final SyscallProgram.Builder program;

    SeccompSteps(PlanInput input, SyscallProgram.Builder program) {
        this.input = input;
        this.program = program;
    }

    void planNoNewPrivileges() {
        if (input.spec().noNewPrivileges()) {
            program.purpose("let no program gain privileges (no_new_privs)");
            program.call(Syscall.PRCTL, PR_SET_NO_NEW_PRIVS, of(1), of(0), of(0), of(0));
        }
    }

    private static Arg flags(Set<FilterFlag> flags) {
        return named(
                FilterFlag.bits(flags),
                flags.isEmpty()
                        ? "0"
                        : String.join(
                                "|", flags.stream().map(FilterFlag::ociName).toList()));
    }

    /** Without no_new_privs this takes CAP_SYS_ADMIN, so it must come before the capabilities are gone. */
    void planFilters() {
        int number = 0;
        for (var filter : input.seccompFilters()) {
            program.purpose(
                    "install seccomp filter " + ++number,
                    input.spec().noNewPrivileges() ? "no_new_privs" : "CAP_SYS_ADMIN");
            var pointers = new TreeMap<Integer, Arg>();
            pointers.put(SOCK_FPROG_FILTER, Arg.bytes(filter.bytes(), "..."));
            byte[] sockFprog = new byte[SOCK_FPROG_SIZE];
            sockFprog[0] = (byte) filter.length();
            sockFprog[1] = (byte) (filter.length() >> 8);
            program.call(
                    Syscall.SECCOMP,
                    SECCOMP_SET_MODE_FILTER,
                    flags(filter.flags()),
                    new Arg.Struct(sockFprog, pointers, "{len=" + filter.length() + ", filter=...}"));
        }
    }
}
