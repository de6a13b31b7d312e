// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.Container;
import dev.caisson.Containers;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Removes what is left of detached containers: their records, their logs, and writable layers of their own. */
@Command(name = "rm", description = "Remove detached containers that have ended.", mixinStandardHelpOptions = true)
final class RmExample implements Callable<Integer> {
    @Option(
            names = {"-f", "--force"},
            description = "kill those that run")
    private boolean force;

    @Parameters(paramLabel = "NAME", arity = "1..*")
    private String[] names = {};

    @Override
    public Integer call() throws Exception {
        for (String name : names) {
            if (force) {
                kill(name);
            }
            if (!Containers.remove(name)) {
                throw new NoSuchFileException(name, null, "there is no container of this name");
            }
            System.out.println(name);
        }
        return 0;
    }

    private static void kill(String name) throws IOException, InterruptedException {
        try (var container = Container.attach(name)) {
            if (container.isAlive()) {
                var _ = container.stop(Duration.ZERO);
            }
        }
    }
}
