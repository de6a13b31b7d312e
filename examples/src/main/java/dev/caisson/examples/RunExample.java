// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Runs a command in a container; ends with its exit code, or 128 and the signal's number. */
@Command(
        name = "run",
        description = "Run a command in a container. Without options: a safe sandbox over this host's root.",
        mixinStandardHelpOptions = true)
final class RunExample implements Callable<Integer> {
    @Mixin
    private ContainerOptions options = new ContainerOptions();

    @Override
    public Integer call() throws Exception {
        return options.builder().run(options.command()).shellCode();
    }
}
