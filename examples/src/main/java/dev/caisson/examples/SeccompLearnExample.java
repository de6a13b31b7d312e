// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.Container;
import dev.caisson.Exit;
import dev.caisson.seccomp.learning.Learned;
import dev.caisson.seccomp.learning.Recording;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs a command, watches its system calls, and writes the policy that suffices; ends as the command did. */
@Command(
        name = "learn",
        description = "Learn the policy that a command needs, by running it over this machine's files.",
        mixinStandardHelpOptions = true)
final class SeccompLearnExample implements Callable<Integer> {
    @Option(names = "--java", description = "As Java. Else as JSON, for Docker and OCI runtimes.")
    private boolean java;

    @Option(names = "--json", description = "As JSON; the default.")
    private boolean json;

    @Option(names = "--class", paramLabel = "NAME", description = "With --java: a whole class of that name.")
    private @Nullable String className;

    @Option(names = "--out", paramLabel = "FILE", description = "Where to; default: standard error, after the command.")
    private @Nullable Path out;

    @Option(names = "--runs", paramLabel = "N", description = "Run it so many times; what each does is learned.")
    private int runs = 1;

    @Parameters(arity = "1..*", paramLabel = "CMD")
    private List<String> command = new ArrayList<>();

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (java && json) {
            throw new IllegalArgumentException("--java and --json: choose one");
        }
        if (runs < 1) {
            throw new IllegalArgumentException("--runs: " + runs + " is not positive");
        }
        var recording = Recording.begin();
        var container = Container.builder().lower(Path.of("/")).seccomp(recording.policy());
        Exit exit = container.run(command);
        for (int run = 1; run < runs && exit.isSuccess(); run++) {
            exit = container.run(command);
        }
        String text = text(recording.learned());
        if (out == null) {
            System.err.println(text);
        } else {
            Files.writeString(out, text + "\n");
        }
        return exit.shellCode();
    }

    private String text(Learned learned) {
        if (!java) {
            return learned.toJson();
        }
        return Optional.ofNullable(className).map(learned::toJava).orElseGet(learned::toJava);
    }
}
