// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.Container;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.linux.ByteUnit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What the kernel does to processes that want more than they may have, live: bars against the limits, and what happens. */
@Command(
        name = "limits",
        description = "Start memory, cpu and fork hogs under limits, and draw what the kernel does.",
        mixinStandardHelpOptions = true)
final class LimitsExample implements Callable<Integer> {
    private static final int FEWEST_PROCESSES = 4;

    @Option(names = "--memory", paramLabel = "256M", description = "memory.max (default ${DEFAULT-VALUE})")
    private String memory = "256M";

    @Option(names = "--cpus", paramLabel = "0.5", description = "cpu.max (default ${DEFAULT-VALUE})")
    private double cpus = 0.5;

    @Option(names = "--pids", paramLabel = "32", description = "pids.max (default ${DEFAULT-VALUE})")
    private int pids = 32;

    @Option(names = "--hogs", split = ",", description = "of ${COMPLETION-CANDIDATES} (default all)")
    private EnumSet<Hogs.Kind> hogs = EnumSet.allOf(Hogs.Kind.class);

    @Option(names = "--seconds", paramLabel = "10", description = "how long (default ${DEFAULT-VALUE})")
    private int seconds = 10;

    @Option(names = "--plain", description = "lines instead of bars; the default where this is not a terminal")
    private boolean plain;

    @Override
    public Integer call() throws Exception {
        if (seconds < 1 || seconds > 86_400) {
            throw new IllegalArgumentException("--seconds: " + seconds + " is not within 1 to 86400");
        }
        if (pids < FEWEST_PROCESSES) {
            throw new IllegalArgumentException(
                    "--pids: " + pids + " is less than the " + FEWEST_PROCESSES + " that the hogs begin with");
        }
        var hogging = new Hogs(hogs, ContainerOptions.bytes("--memory", memory), Duration.ofSeconds(seconds));
        var limits = limits(hogging.memoryBytes());
        var screen = LimitsScreen.ofThisProgram(plain);
        try (var container =
                Container.sandbox().lower(Path.of("/")).limits(limits).start(hogging.command())) {
            var events = new LimitsEvents(screen);
            container.events().subscribe(events);
            var feeder = Thread.ofVirtual().unstarted(() -> hogging.feed(container));
            if (hogs.contains(Hogs.Kind.memory)) {
                feeder.start();
            }
            try {
                screen.show(container, limits, hogging.time());
            } finally {
                feeder.interrupt();
            }
            var exit = container.isAlive() ? container.stop(Duration.ZERO) : container.waitFor();
            events.awaitEnd();
            screen.tell("end: " + exit);
        }
        return 0;
    }

    private Limits limits(long memoryBytes) throws IOException {
        var limits = Limits.none().memoryMax(memoryBytes, ByteUnit.B).cpus(cpus).pidsMax(pids);
        // What may be swapped out is not killed for long.
        boolean swaps = Files.readAllLines(Path.of("/proc/swaps")).size() > 1;
        return swaps ? limits.swapMax(0, ByteUnit.B) : limits;
    }
}
