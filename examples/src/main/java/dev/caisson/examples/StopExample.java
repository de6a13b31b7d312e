// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.Container;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Stops detached containers: SIGTERM, and SIGKILL for those that do not heed it. */
@Command(
        name = "stop",
        description = "Stop detached containers; they are not started again.",
        mixinStandardHelpOptions = true)
final class StopExample implements Callable<Integer> {
    @Option(
            names = "--time",
            paramLabel = "SECONDS",
            defaultValue = "10",
            description = "before it is killed; default 10")
    private double seconds;

    @Parameters(paramLabel = "NAME", arity = "1..*")
    private String[] names = {};

    @Override
    public Integer call() throws Exception {
        for (String name : names) {
            try (var container = Container.attach(name)) {
                if (container.isAlive()) {
                    var _ = container.stop(Duration.ofNanos(Math.round(seconds * 1e9)));
                }
                System.out.println(name);
            }
        }
        return 0;
    }
}
