// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs a profile's program on one system call; ends with 0 if the call would be made, else with 1. */
@Command(
        name = "evaluate",
        description = "What a profile says of one system call, and which rule decides.",
        mixinStandardHelpOptions = true)
final class SeccompEvaluateExample implements Callable<Integer> {
    @Mixin
    private ProfileOptions options = new ProfileOptions();

    @Option(names = "--as", paramLabel = "ARCH", description = "The architecture of the call; default: this host's.")
    private String arch = Arch.host().name();

    @Parameters(index = "0", paramLabel = "PROFILE.json", description = "A profile, or \"standard\".")
    private String file = "";

    @Parameters(index = "1", paramLabel = "SYSCALL")
    private String call = "";

    @Parameters(index = "2..*", paramLabel = "ARG", description = "Up to six numbers, decimal or 0x.")
    private List<String> args = new ArrayList<>();

    @Override
    public Integer call() throws IOException {
        var syscall = Syscall.of(call)
                .orElseThrow(() -> new IllegalArgumentException("\"" + call + "\" is not a system call"));
        long[] values = args.stream().mapToLong(SeccompEvaluateExample::number).toArray();
        var verdict = options.policy(file).compile().evaluate(ProfileOptions.architecture(arch), syscall, values);
        System.out.println(verdict);
        return verdict.action().isAllowed() ? 0 : 1;
    }

    private static long number(String text) {
        try {
            return text.startsWith("0x")
                    ? Long.parseUnsignedLong(text.substring(2), 16)
                    : text.startsWith("-") ? Long.parseLong(text) : Long.parseUnsignedLong(text);
        } catch (NumberFormatException none) {
            throw new IllegalArgumentException("ARG: \"" + text + "\" is no 64-bit number", none);
        }
    }
}
