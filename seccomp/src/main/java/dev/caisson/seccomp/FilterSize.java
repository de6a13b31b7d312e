// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.bpf.SeccompData;
import dev.caisson.seccomp.compile.Compiler;
import dev.caisson.seccomp.compile.Emitter;
import dev.caisson.seccomp.compile.Pass;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;

/**
 * How large a filter is and how long its paths are, in instructions.
 *
 * @param instructions of the whole program
 * @param longestPath the most instructions that any call may take
 * @param paths for each architecture, over its known system calls with all arguments zero
 * @param savings what the program would grow by without each optimiser pass
 */
public record FilterSize(int instructions, int longestPath, Map<Arch, Paths> paths, Map<String, Integer> savings) {
    /**
     * Executed instructions.
     *
     * @param allowedAverage over calls that are allowed
     * @param refusedAverage over calls that are not
     */
    public record Paths(double allowedAverage, int allowedWorst, double refusedAverage, int refusedWorst) {}

    static FilterSize of(Filter filter) {
        var policy = filter.policy();
        var paths = new EnumMap<Arch, Paths>(Arch.class);
        for (var arch : policy.architectures()) {
            paths.put(arch, paths(filter, arch));
        }
        var savings = new java.util.LinkedHashMap<String, Integer>();
        for (var pass : Pass.values()) {
            var without = EnumSet.copyOf(Compiler.ALL);
            without.remove(pass);
            int size =
                    Emitter.emit(Compiler.compile(Sources.of(policy), without)).size();
            savings.put(pass.title(), size - filter.instructions().size());
        }
        return new FilterSize(
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
