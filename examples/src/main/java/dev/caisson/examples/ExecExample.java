// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.Container;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs a further command in a detached container; ends with its exit code, or 128 and the signal's number. */
@Command(
        name = "exec",
        description = "Run a command in a detached container, as confined as its own.",
        mixinStandardHelpOptions = true)
final class ExecExample implements Callable<Integer> {
    @Option(
            names = {"-i", "--interactive"},
            description = "with -t: what is typed is passed on; without it the input always is")
    private boolean interactive;

    @Option(
            names = {"-t", "--tty"},
            description = "a terminal in the container, as large as this one; TERM is passed on")
    private boolean tty;

    @Parameters(index = "0", paramLabel = "NAME")
    private String name = "";

    @Parameters(
            index = "1..*",
            paramLabel = "CMD",
            arity = "1..*",
            description = "the command and its arguments, after --")
    private List<String> command = new ArrayList<>();

    @Override
    public Integer call() throws Exception {
        try (var container = Container.attach(name)) {
            var inside = container.command(command);
            if (!tty) {
                return inside.run().shellCode();
            }
            String term = System.getenv("TERM");
            var withTerm = term == null ? inside : inside.environment("TERM", term);
            return Attached.inTerminal(
                    (columns, rows) -> withTerm.terminal(columns, rows).start(), interactive);
        }
    }
}
