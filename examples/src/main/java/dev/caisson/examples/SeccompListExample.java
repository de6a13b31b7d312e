// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.seccomp.FilterProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Prints the program of a profile, or a program that any compiler wrote. */
@Command(
        name = "list",
        description = "Disassemble a profile's program or a .bpf file.",
        mixinStandardHelpOptions = true)
final class SeccompListExample implements Callable<Integer> {
    @Mixin
    private ProfileOptions options = new ProfileOptions();

    @Parameters(paramLabel = "FILE", description = "PROFILE.json, PROGRAM.bpf, or \"standard\".")
    private String file = "";

    @Override
    public Integer call() throws IOException {
        if (!file.endsWith(".bpf")) {
            System.out.print(options.policy(file).compile().listing());
            return 0;
        }
        var program = new FilterProgram(Files.readAllBytes(Path.of(file)));
        System.out.print(program.listing());
        program.faults().forEach(fault -> System.err.println("the kernel would refuse it: " + fault));
        return program.faults().isEmpty() ? 0 : 1;
    }
}
