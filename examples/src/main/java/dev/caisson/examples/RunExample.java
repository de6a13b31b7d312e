// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.ContainerBuilder;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs a command in a container; ends with its exit code, or 128 and the signal's number. */
@Command(
        name = "run",
        description = "Run a command in a container. Without options: a safe sandbox over this host's root.",
        mixinStandardHelpOptions = true)
final class RunExample implements Callable<Integer> {
    @Mixin
    private ContainerOptions options = new ContainerOptions();

    @Option(
            names = {"-i", "--interactive"},
            description = "pass the input on, by a pipe; with -t what is typed")
    private boolean interactive;

    @Option(
            names = {"-t", "--tty"},
            description = "a terminal in the container, as large as this one; TERM is passed on")
    private boolean tty;

    @Override
    public Integer call() throws Exception {
        if (tty) {
            return Attached.inTerminal(withTerm(options.builder()), options.command(), interactive);
        }
        return interactive
                ? Attached.reading(options.builder(), options.command())
                : options.builder().run(options.command()).shellCode();
    }

    private ContainerBuilder withTerm(ContainerBuilder builder) {
        String term = System.getenv("TERM");
        return term == null || options.sets("TERM") ? builder : builder.environment("TERM", term);
    }
}
