// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.of;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Feature;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Call;
import dev.caisson.linux.child.Step;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.FilterProgram;
import dev.caisson.spec.Capability;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** no_new_privs and the seccomp filters, as close to execve as they can be: what comes after must pass them. */
final class SeccompSteps {
    private static final Arg PR_SET_NO_NEW_PRIVS = named(38, "PR_SET_NO_NEW_PRIVS");
    private static final Arg SECCOMP_SET_MODE_FILTER = named(1, "SECCOMP_SET_MODE_FILTER");
    private static final int SOCK_FPROG_SIZE = 16;
    private static final int SOCK_FPROG_FILTER = 8;

    /** Where the JVM gets the listener. */
    static final String LISTENER = "listener";

    /** Arguments of sendmsg(2): small and large descriptors, addresses of both launch modes, the flags used. */
    private static final List<long[]> SAMPLES =
            List.of(new long[] {3, 0x40_2000, 0x4000}, new long[] {200, 0x7fff_1234_5678L, 0x4000}, new long[] {
                70_000, 0x41_2000, 0x4000
            });

    private final PlanInput input;
    private final SyscallProgram.Builder program;

    SeccompSteps(PlanInput input, SyscallProgram.Builder program) {
        this.input = input;
        this.program = program;
    }

    void planNoNewPrivileges() {
        if (input.spec().privileges().noNewPrivileges()) {
            program.purpose("let no program gain privileges (no_new_privs)");
            program.call(Syscall.PRCTL, PR_SET_NO_NEW_PRIVS, of(1), of(0), of(0), of(0));
        }
    }

    private static Arg flags(Set<Filter.Flag> flags) {
        return named(
                Filter.Flag.bits(flags),
                flags.isEmpty()
                        ? "0"
                        : String.join(
                                "|", flags.stream().map(Filter.Flag::ociName).toList()));
    }

    /** Without no_new_privs this requires CAP_SYS_ADMIN, so it must come before the capabilities are gone. */
    void planFilters() {
        int number = 0;
        for (var filter : input.seccompFilters()) {
            program.purpose(
                            "install seccomp filter " + ++number,
                            input.spec().privileges().noNewPrivileges() ? "no_new_privs" : "CAP_SYS_ADMIN")
                    .task(LaunchTask.INSTALL_FILTER);
            var pointers = new TreeMap<Integer, Arg>();
            pointers.put(SOCK_FPROG_FILTER, Arg.bytes(filter.bytes(), "..."));
            byte[] sockFprog = new byte[SOCK_FPROG_SIZE];
            sockFprog[0] = (byte) filter.length();
            sockFprog[1] = (byte) (filter.length() >> 8);
            var fprog = new Arg.Struct(sockFprog, pointers, "{len=" + filter.length() + ", filter=...}");
            if (hasListener(filter)) {
                if (mustFetch(input) && !input.host().can(Capability.SYS_PTRACE)) {
                    // It is what the command will be already: whoever may trace that may trace this.
                    ExecSteps.dumpable(program, "let the JVM fetch the listener", 1);
                }
                // The listener closes at execve, as NEW_LISTENER has it; what the JVM gets is a copy.
                var _ = program.handOver(
                        LISTENER,
                        canSend(input.seccompFilters().subList(0, number)),
                        Syscall.SECCOMP,
                        SECCOMP_SET_MODE_FILTER,
                        flags(forListening(filter.flags())),
                        fprog);
            } else {
                program.call(Syscall.SECCOMP, SECCOMP_SET_MODE_FILTER, flags(filter.flags()), fprog);
            }
        }
    }

    /** {@return whether all filters surely allow the calls of a program, as far as can be known before its arguments are} */
    boolean allow(SyscallProgram later) {
        return later.steps().stream()
                .flatMap(step ->
                        step.operation() instanceof Step.Invoke(var call, var _) ? Stream.of(call) : Stream.empty())
                .allMatch(call -> SAMPLES.stream()
                        .map(sample -> arguments(call, sample))
                        .allMatch(arguments -> input.seccompFilters().stream()
                                .allMatch(filter -> filter.faults().isEmpty()
                                        && filter.evaluate(Arch.host(), call.syscall(), arguments)
                                                .isAllowed())));
    }

    private static long[] arguments(Call call, long[] sample) {
        long[] arguments = new long[call.args().size()];
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] =
                    call.args().get(i) instanceof Arg.Value(long value, var _) ? value : sample[i % sample.length];
        }
        return arguments;
    }

    /**
     * {@return whether the filter of a prepared container is installed before it waits} That takes longer than the rest of a start.
     * The standard policy is known to allow what such a start does, unless it has a terminal to mount.
     */
    static boolean isAhead(PlanInput input) {
        var privileges = input.spec().privileges();
        return privileges.noNewPrivileges()
                && privileges.standardSeccomp()
                && input.spec().process().terminal().isEmpty()
                && privileges.seccompFilters().isEmpty();
    }

    private static boolean hasListener(FilterProgram filter) {
        return filter.flags().contains(Filter.Flag.NEW_LISTENER);
    }

    /** {@return whether the JVM gets a listener once the filters are installed} */
    static boolean hasListener(PlanInput input) {
        for (var filter : input.seccompFilters()) {
            if (hasListener(filter)) {
                return true;
            }
        }
        return false;
    }

    private Set<Filter.Flag> forListening(Set<Filter.Flag> flags) {
        var all = EnumSet.copyOf(flags);
        if (all.contains(Filter.Flag.TSYNC)) {
            all.add(Filter.Flag.TSYNC_ESRCH);
        }
        if (input.host().has().test(Feature.SECCOMP_WAIT_KILLABLE)) {
            // Else a payload with timer signals (Go, a JVM) could interrupt each of its calls again and again.
            all.add(Filter.Flag.WAIT_KILLABLE_RECV);
        }
        return all;
    }

    /** {@return whether the launch has a listener that must be fetched from the child's memory} */
    static boolean mustFetch(PlanInput input) {
        var filters = input.seccompFilters();
        for (int i = 0; i < filters.size(); i++) {
            if (hasListener(filters.get(i))) {
                return !canSend(filters.subList(0, i + 1));
            }
        }
        return false;
    }

    /** {@return whether sendmsg(2) is allowed under some filters, as far as can be known before its arguments are} */
    private static boolean canSend(List<FilterProgram> filters) {
        return filters.stream()
                .allMatch(filter -> filter.faults().isEmpty()
                        && SAMPLES.stream()
                                .allMatch(args -> filter.evaluate(Arch.host(), Syscall.SENDMSG, args)
                                        .isAllowed()));
    }
}
