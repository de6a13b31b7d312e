// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.bpf.Instruction;
import dev.caisson.seccomp.bpf.Interpreter;
import dev.caisson.seccomp.bpf.SeccompData;
import dev.caisson.seccomp.compile.Compiler;
import dev.caisson.seccomp.compile.Emitter;
import dev.caisson.seccomp.compile.Pass;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A compiled policy: the program, and what it was made from. Immutable. */
public final class Filter {
    private final Seccomp policy;
    private final List<Instruction> instructions;

    private Filter(Seccomp policy, List<Instruction> instructions) {
        this.policy = policy;
        this.instructions = instructions;
    }

    static Filter of(Seccomp policy) {
        return of(policy, Compiler.ALL);
    }

    static Filter of(Seccomp policy, Set<Pass> passes) {
        var instructions = Emitter.emit(Compiler.compile(Sources.of(policy), passes));
        if (instructions.size() > Instruction.MOST) {
            throw new IllegalStateException(Cost.tooLarge(policy, instructions.size()));
        }
        return new Filter(policy, instructions);
    }

    /** {@return the policy it was compiled from} */
    public Seccomp policy() {
        return policy;
    }

    /** {@return the program, in the order of its instructions} */
    List<Instruction> instructions() {
        return instructions;
    }

    /** {@return the program as the kernel takes it, with the policy's flags} */
    public FilterProgram program() {
        return new FilterProgram(Instruction.encode(instructions), policy.flags());
    }

    /** {@return the program as text, one instruction a line} */
    public String listing() {
        return program().listing();
    }

    /** {@return the action that the program comes to, run as the kernel runs it, and the rule that decided} */
    public Verdict evaluate(Arch arch, Syscall call, long... args) {
        int number =
                call.number(arch).orElseThrow(() -> new IllegalArgumentException("call: " + arch + " has no " + call));
        return evaluate(SeccompData.of(arch.auditArch(), number, args));
    }

    /** {@return the action that the program comes to, and the rule that decided} */
    Verdict evaluate(SeccompData data) {
        var action = Action.of(run(data).value());
        var verdict = policy.evaluate(data);
        if (!verdict.action().equals(action)) {
            throw new AssertionError("the program says " + action.text() + ", its policy " + verdict);
        }
        return verdict;
    }

    Interpreter.Result run(SeccompData data) {
        return Interpreter.run(instructions, data);
    }

    /** {@return size and path lengths of the program} */
    public Size explain() {
        return Size.of(this);
    }

    /**
     * Installs the filter on the calling platform thread, or on all threads of this JVM. It can never be taken away again.
     * Sets no_new_privs on them first, unless told otherwise, and that cannot be taken back either. Before anything is
     * changed, the program, its actions and flags are checked against this kernel.
     *
     * @throws IllegalStateException on a virtual thread, whose carrier others use
     * @throws IOException if the kernel refuses; its message says what to do
     */
    public void install(Scope scope, Privileges privileges) throws IOException {
        Installation.install(this, scope, privileges);
    }

    /** Who is filtered. */
    public enum Scope {
        /** The calling thread, and what it starts from now on. */
        THREAD,
        /** Every thread of this JVM (TSYNC), compiler and garbage collector too: the policy must suit them. */
        PROCESS
    }

    /** Whether programs run later may gain privileges. */
    public enum Privileges {
        /** Sets no_new_privs, so that no privilege is needed to install the filter. */
        NO_NEW,
        /** Leaves no_new_privs as it is; unless it is set, installing takes CAP_SYS_ADMIN. */
        KEEP
    }

    /**
     * How large a filter is and how long its paths are, in instructions.
     *
     * @param instructions of the whole program
     * @param longestPath the most instructions that any call may take
     * @param paths for each architecture, over its known system calls with all arguments zero
     * @param savings what the program would grow by without each optimiser pass
     */
    public record Size(int instructions, int longestPath, Map<Arch, Paths> paths, Map<String, Integer> savings) {
        /**
         * Executed instructions.
         *
         * @param allowedAverage over calls that are allowed
         * @param refusedAverage over calls that are not
         */
        public record Paths(double allowedAverage, int allowedWorst, double refusedAverage, int refusedWorst) {}

        static Size of(Filter filter) {
            var policy = filter.policy();
            var paths = new EnumMap<Arch, Paths>(Arch.class);
            for (var arch : policy.architectures()) {
                paths.put(arch, paths(filter, arch));
            }
            var savings = new java.util.LinkedHashMap<String, Integer>();
            for (var pass : Pass.values()) {
                var without = EnumSet.copyOf(Compiler.ALL);
                without.remove(pass);
                int size = Emitter.emit(Compiler.compile(Sources.of(policy), without))
                        .size();
                savings.put(pass.title(), size - filter.instructions().size());
            }
            return new Size(
                    filter.instructions().size(),
                    Compiler.compile(Sources.of(policy), Compiler.ALL).height(),
                    paths,
                    savings);
        }

        private static Paths paths(Filter filter, Arch arch) {
            List<Integer> allowed = new ArrayList<>();
            List<Integer> refused = new ArrayList<>();
            for (var call : Syscall.values()) {
                var number = call.number(arch);
                if (number.isPresent()) {
                    var result = filter.run(SeccompData.of(arch.auditArch(), number.getAsInt()));
                    (Action.of(result.value()).isAllowed() ? allowed : refused).add(result.executed());
                }
            }
            return new Paths(average(allowed), worst(allowed), average(refused), worst(refused));
        }

        private static double average(List<Integer> lengths) {
            return lengths.stream().mapToInt(Integer::intValue).average().orElse(0);
        }

        private static int worst(List<Integer> lengths) {
            return lengths.stream().mapToInt(Integer::intValue).max().orElse(0);
        }

        /** {@return the figures as text} */
        @Override
        public String toString() {
            var out = new StringBuilder(instructions + " instructions, longest path " + longestPath + "\n");
            paths.forEach((arch, p) -> out.append("%-8s allowed %.1f on average, %d at worst; refused %.1f, %d%n"
                    .formatted(arch, p.allowedAverage, p.allowedWorst, p.refusedAverage, p.refusedWorst)));
            savings.forEach((pass, saved) -> out.append("%s saves %d%n".formatted(pass, saved)));
            return out.toString();
        }
    }

    /** How a filter is installed: SECCOMP_FILTER_FLAG_ of seccomp(2). Which of them a host has, {@link SeccompSupport} says. */
    public enum Flag {
        /** All threads of the process get the filter, or none. Linux 3.17. */
        TSYNC(1),
        /** Every refusal is logged, as far as the host's {@code actions_logged} lets it. Linux 4.14. */
        LOG(2),
        /** No protection against Speculative Store Bypass is turned on for the process. Linux 4.17. */
        SPEC_ALLOW(4),
        /** The call returns a descriptor on which a supervisor listens. Linux 5.0. */
        NEW_LISTENER(8),
        /** A failed {@link #TSYNC} is told from a listener's descriptor. Linux 5.7. */
        TSYNC_ESRCH(16),
        /** A call the supervisor has received can only be interrupted by a deadly signal. Linux 5.19. */
        WAIT_KILLABLE_RECV(32);

        private final int bit;

        Flag(int bit) {
            this.bit = bit;
        }

        /** {@return the name in OCI profiles} */
        public String ociName() {
            return "SECCOMP_FILTER_FLAG_" + name();
        }

        /** {@return the flags as the kernel's argument} */
        public static int bits(Set<Flag> flags) {
            return flags.stream().mapToInt(f -> f.bit).reduce(0, (a, b) -> a | b);
        }
    }

    /**
     * What a policy says of a system call.
     *
     * @param rule the rule that decided; empty if none did
     * @param reason in words
     */
    public record Verdict(Action action, Optional<Rule> rule, String reason) {
        @Override
        public String toString() {
            return action.text() + ": " + reason;
        }
    }
}
