// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.Containers;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Prints what a detached container has written, each stream to its own. */
@Command(name = "logs", description = "Print what a detached container wrote.", mixinStandardHelpOptions = true)
final class LogsExample implements Callable<Integer> {
    @Option(
            names = {"-f", "--follow"},
            description = "go on until it ends")
    private boolean follow;

    @Option(
            names = {"-t", "--timestamps"},
            description = "the time before each line")
    private boolean times;

    @Parameters(index = "0", paramLabel = "NAME")
    private String name = "";

    @Override
    public Integer call() throws Exception {
        Containers.log(name, follow, output -> {
            PrintStream to = output.stderr() ? System.err : System.out;
            if (times) {
                to.print(output.time() + " ");
            }
            to.write(output.bytes(), 0, output.bytes().length);
            to.flush();
        });
        return 0;
    }
}
