// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.Container;
import dev.caisson.Exit;
import dev.caisson.spec.Stdio;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What a pool saves: the same command in containers that are made for it, and in ones that wait for it. */
@Command(
        name = "pool",
        description = "Measure a command in containers started cold, and in ones that a pool has ready.",
        mixinStandardHelpOptions = true)
final class PoolExample implements Callable<Integer> {
    @Option(
            names = "--lower",
            paramLabel = "DIR",
            description = "the layers, topmost first (default: this machine's root)")
    private List<Path> lower = new ArrayList<>();

    @Option(names = "--size", paramLabel = "N", description = "containers that wait (default ${DEFAULT-VALUE})")
    private int size = 4;

    @Option(names = "--runs", paramLabel = "N", description = "how often it is run (default ${DEFAULT-VALUE})")
    private int runs = 50;

    @Parameters(paramLabel = "CMD", arity = "1..*", description = "the command and its arguments")
    private List<String> command = new ArrayList<>();

    @Override
    public Integer call() throws Exception {
        var builder = Container.sandbox()
                .lower(lower.isEmpty() ? new Path[] {Path.of("/")} : lower.toArray(Path[]::new))
                .stdin(Stdio.discard())
                .stdout(Stdio.discard())
                .stderr(Stdio.inherit());
        try (var pool = builder.pool(size)) {
            var cold = new long[runs];
            var ready = new long[runs];
            for (int i = 0; i < runs; i++) {
                while (pool.waiting() < size) {
                    Thread.sleep(1);
                }
                cold[i] = microseconds(() -> builder.run(command));
                ready[i] = microseconds(() -> pool.command(command).run());
            }
            Arrays.sort(cold);
            Arrays.sort(ready);
            System.out.printf(
                    "start to exit, median of %d, us: cold %d, pool %d%n", runs, cold[runs / 2], ready[runs / 2]);
            return 0;
        }
    }

    private static long microseconds(Callable<Exit> run) throws Exception {
        long before = System.nanoTime();
        run.call().orThrow();
        return (System.nanoTime() - before) / 1000;
    }
}
