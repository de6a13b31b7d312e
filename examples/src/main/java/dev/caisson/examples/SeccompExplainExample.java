// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Prints how large a profile's program is, how long its paths are, and what each optimiser pass saved. */
@Command(
        name = "explain",
        description = "Size and path lengths of a profile's program.",
        mixinStandardHelpOptions = true)
final class SeccompExplainExample implements Callable<Integer> {
    @Mixin
    private ProfileOptions options = new ProfileOptions();

    @Option(names = "--rules", description = "Print the rules too.")
    private boolean rules;

    @Parameters(paramLabel = "PROFILE.json", description = "A profile, or \"standard\".")
    private String file = "";

    @Override
    public Integer call() throws IOException {
        var policy = options.policy(file);
        if (rules) {
            policy.rules().forEach(System.out::println);
            System.out.println("otherwise " + policy.otherwise().text());
        }
        System.out.print(policy.compile().explain());
        return 0;
    }
}
