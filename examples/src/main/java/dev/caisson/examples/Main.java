// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The runnable jar: {@code java -jar caisson-examples.jar NAME ARGS...}, one subcommand for each example. */
@Command(
        name = "caisson-examples",
        description = "Examples of Caisson, one for each job.",
        mixinStandardHelpOptions = true,
        subcommands = {})
final class Main {
    private Main() {}

    public static void main(String[] args) {
        CommandLine examples = new CommandLine(new Main());
        if (args.length == 0) {
            examples.usage(System.err);
            System.exit(CommandLine.ExitCode.USAGE);
        }
        System.exit(examples.execute(args));
    }
}
