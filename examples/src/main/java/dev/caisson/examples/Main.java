// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.ContainerException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The runnable jar: {@code java -jar caisson-examples.jar NAME ARGS...}, one subcommand for each example. */
@Command(
        name = "caisson-examples",
        description = "Examples of Caisson, one for each job.",
        mixinStandardHelpOptions = true,
        subcommands = {
            RunExample.class,
            PsExample.class,
            ExecExample.class,
            LogsExample.class,
            StopExample.class,
            RmExample.class,
            ExplainExample.class,
            ProbeExample.class,
            DoctorExample.class,
            FirstWriteExample.class,
            BesideExample.class,
            PoolExample.class,
            RollbackExample.class,
            SeccompExample.class,
            LayersExample.class,
            LimitsExample.class,
            EmulateExample.class,
            EgressExample.class,
            OpenPolicyExample.class
        })
final class Main {
    private static final int CANNOT_START = 125;

    private Main() {}

    public static void main(String[] args) {
        System.exit(execute(args));
    }

    static int execute(String... args) {
        var examples = new CommandLine(new Main());
        if (args.length == 0) {
            examples.usage(System.err);
            return CommandLine.ExitCode.USAGE;
        }
        examples.setExecutionExceptionHandler((failure, _, _) -> {
            // What goes wrong before the command runs is for people: a line, not a stack.
            if (failure instanceof ContainerException
                    || failure instanceof java.io.IOException
                    || failure instanceof IllegalArgumentException
                    || failure instanceof IllegalStateException) {
                System.err.println("caisson: " + failure.getMessage());
                return CANNOT_START;
            }
            throw failure;
        });
        return examples.execute(args);
    }
}
