// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.Container;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.overlay.store.Layer;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.overlay.store.Removal;
import dev.caisson.spec.Stdio;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** How an agent works: it tries something, looks what came of it, and takes back what was no good. */
@Command(
        name = "rollback",
        description =
                "Run scripts one after the other; what one of them did is taken back unless a check succeeds then.",
        mixinStandardHelpOptions = true)
final class RollbackExample implements Callable<Integer> {
    @Option(
            names = "--lower",
            paramLabel = "DIR",
            description = "the layers, topmost first (default: this machine's root)")
    private List<Path> lower = new ArrayList<>();

    @Option(names = "--check", paramLabel = "SCRIPT", required = true, description = "succeeds if the files are good")
    private String check = "";

    @Parameters(paramLabel = "SCRIPT", arity = "1..*", description = "what is tried")
    private List<String> attempts = new ArrayList<>();

    @Override
    public Integer call() throws Exception {
        Path directory = Files.createTempDirectory("caisson-rollback");
        try (var store = LayerStore.open(directory);
                var work = store.branch(lower.isEmpty() ? new Path[] {Path.of("/")} : lower.toArray(Path[]::new))) {
            var builder = Container.builder().on(work).limits(Limits.none());
            for (String attempt : attempts) {
                Layer before;
                boolean good;
                try (Container agent = builder.stdout(Stdio.discard()).start("sleep", "infinity")) {
                    before = agent.snapshot(store, "before"); // It stands still meanwhile, and goes on.
                    var _ = agent.command("sh", "-c", attempt).run();
                    good = agent.command("sh", "-c", check).run().isSuccess();
                }
                if (!good) {
                    work.restore(before);
                }
                System.out.println((good ? "kept:      " : "taken back: ") + attempt);
            }
            try (Container last = builder.start("true")) {
                last.waitFor();
                last.changes().forEach(change -> System.out.println(change.path()));
            }
            return 0;
        } finally {
            Removal.here().remove(directory);
        }
    }
}
