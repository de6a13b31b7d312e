// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.seccomp.bpf.Instruction;
import dev.caisson.seccomp.bpf.Interpreter;
import dev.caisson.seccomp.bpf.SeccompData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.TreeSet;

/** Docker's default policy, compiled here for seccomp.c to measure beside libseccomp's programs for the same rules. */
final class SeccompFilters {
    private static final int WARM = 300;
    private static final int MEASURED = 200;

    private SeccompFilters() {}

    public static void main(String[] args) throws IOException {
        Path directory = Path.of(args[1]);
        if (args[0].equals("compile")) {
            compile(directory);
        } else {
            for (String name : new String[] {"libseccomp-o1", "libseccomp-o2", "caisson"}) {
                paths(directory, name);
            }
        }
    }

    private static void compile(Path directory) throws IOException {
        var names = new TreeSet<String>();
        for (var rule : Seccomp.standard().rules()) {
            if (rule.conditions().isEmpty() && rule.action().equals(Action.allow())) {
                rule.calls().forEach(call -> names.add(call.toString()));
            }
        }
        Files.write(directory.resolve("names"), names);
        long[] nanos = new long[MEASURED];
        int size = 0;
        for (int i = -WARM; i < MEASURED; i++) {
            long begin = System.nanoTime();
            size += Seccomp.standard().compile().program().length();
            if (i >= 0) {
                nanos[i] = System.nanoTime() - begin;
            }
        }
        Arrays.sort(nanos);
        System.out.printf("caisson: compile %d us (%d compiled)%n", nanos[MEASURED / 2] / 1000, size);
        Files.write(
                directory.resolve("caisson.bpf"),
                Seccomp.standard().compile().program().bytes());
    }

    private static void paths(Path directory, String name) throws IOException {
        var program = Instruction.decode(Files.readAllBytes(directory.resolve(name + ".bpf")));
        for (var arch : new Arch[] {Arch.X86_64, Arch.X86, Arch.X32}) {
            long sum = 0;
            int worst = 0;
            int count = 0;
            for (var call : Syscall.values()) {
                var number = call.number(arch);
                if (number.isPresent()) {
                    int executed = Interpreter.run(program, SeccompData.of(arch.auditArch(), number.getAsInt()))
                            .executed();
                    sum += executed;
                    worst = Math.max(worst, executed);
                    count++;
                }
            }
            System.out.printf(
                    "%-14s %4d instructions; %-7s executed %.1f on average, %d at worst%n",
                    name, program.size(), arch, (double) sum / count, worst);
        }
    }
}
