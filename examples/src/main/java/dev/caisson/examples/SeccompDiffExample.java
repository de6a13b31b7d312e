// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.seccomp.Difference;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Lists the system calls that two profiles judge differently; ends with 1 if there are any. */
@Command(name = "diff", description = "The calls that two profiles judge differently.", mixinStandardHelpOptions = true)
final class SeccompDiffExample implements Callable<Integer> {
    @Mixin
    private ProfileOptions options = new ProfileOptions();

    @Parameters(index = "0", paramLabel = "A.json", description = "A profile, or \"standard\".")
    private String first = "";

    @Parameters(index = "1", paramLabel = "B.json", description = "Another.")
    private String second = "";

    @Override
    public Integer call() throws IOException {
        var differences = Difference.between(options.policy(first), options.policy(second));
        differences.forEach(System.out::println);
        return differences.isEmpty() ? 0 : 1;
    }
}
