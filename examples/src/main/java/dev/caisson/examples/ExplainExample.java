// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Prints what {@code run} would do, system call by system call, and does nothing. */
@Command(
        name = "explain",
        description = "Print every system call that run, with the same options, would make.",
        mixinStandardHelpOptions = true)
final class ExplainExample implements Callable<Integer> {
    @Mixin
    private ContainerOptions options = new ContainerOptions();

    @Override
    public Integer call() throws Exception {
        System.out.print(options.builder().explain(options.command()));
        return 0;
    }
}
