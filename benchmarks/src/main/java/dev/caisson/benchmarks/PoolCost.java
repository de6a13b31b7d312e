// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import dev.caisson.Container;
import dev.caisson.ContainerBuilder;
import dev.caisson.Pool;
import dev.caisson.spec.Stdio;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/**
 * From taking a prepared container to the exit of a tiny static program in it, beside the same container started cold, a bare
 * process by {@code posix_spawn} in C and by {@code ProcessBuilder}, in turns, in one run. See pool.sh.
 *
 * <p>Arguments: a directory with {@code true} (static), {@code layer/} (with the same as {@code /true}) and {@code spawn};
 * rounds; launches a round.
 */
final class PoolCost {
    private static final String C = "C posix_spawn";
    private static final int SIZE = 4;
    private static final long PAUSE_NANOS = 100_000;

    private final Path work;
    private final int rounds;
    private final int launches;
    private final Map<String, List<Double>> medians = new LinkedHashMap<>();

    private PoolCost(Path work, int rounds, int launches) {
        this.work = work;
        this.rounds = rounds;
        this.launches = launches;
    }

    public static void main(String[] args) throws Exception {
        new PoolCost(Path.of(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2])).run();
    }

    private void run() throws Exception {
        Path layer = work.resolve("layer");
        String program = work.resolve("true").toString();
        var builder = quiet(Container.builder().lower(layer));
        var sandbox = quiet(Container.sandbox().lower(layer));
        try (var pool = builder.pool(SIZE);
                var sandboxes = sandbox.pool(SIZE);
                var spawner = Spawner.start(work)) {
            var contestants = new LinkedHashMap<String, Callable<?>>();
            contestants.put("ProcessBuilder", () -> process(program));
            contestants.put("Container.bare", () -> quiet(Container.bare()).run(program));
            contestants.put("builder, cold", () -> builder.run("/true"));
            contestants.put("builder, pool", () -> pool.run("/true"));
            contestants.put("sandbox, cold", () -> sandbox.run("/true"));
            contestants.put("sandbox, pool", () -> sandboxes.run("/true"));
            contestants.put(C, spawner::spawn);
            for (int round = -1; round < rounds; round++) {
                for (var contestant : contestants.entrySet()) {
                    var times = new double[launches];
                    for (int i = 0; i < launches; i++) {
                        awaitFull(pool);
                        awaitFull(sandboxes);
                        long before = System.nanoTime();
                        var answer = contestant.getValue().call();
                        times[i] = answer instanceof Double told ? told : (System.nanoTime() - before) / 1000.0;
                    }
                    if (round >= 0) { // The first round warms up.
                        record(contestant.getKey(), times);
                    }
                }
            }
            print();
            System.out.printf("PSS of a waiting process of the pool: %d kB%n", residentOfWaiting());
        }
    }

    private static ContainerBuilder quiet(ContainerBuilder builder) {
        return builder.stdin(Stdio.discard()).stdout(Stdio.discard()).stderr(Stdio.discard());
    }

    /** Everybody pauses as long as it takes to fill the pools. */
    private static void awaitFull(Pool pool) {
        do {
            LockSupport.parkNanos(PAUSE_NANOS);
        } while (pool.waiting() < SIZE);
    }

    private void record(String name, double[] times) {
        Arrays.sort(times);
        medians.computeIfAbsent(name, _ -> new ArrayList<>()).add(times[times.length / 2]);
    }

    private double median(String name) {
        var values = medians.get(name).stream().sorted().toList();
        return values.get(values.size() / 2);
    }

    private void print() {
        System.out.printf("%-20s %10s%n", "start to exit", "median us");
        medians.keySet().forEach(name -> System.out.printf("%-20s %10.0f%n", name, median(name)));
        for (String kind : List.of("builder", "sandbox")) {
            double pool = median(kind + ", pool");
            System.out.printf(
                    "%s: pool / C posix_spawn %.2f, / ProcessBuilder %.2f, / cold %.2f%n",
                    kind, pool / median(C), pool / median("ProcessBuilder"), pool / median(kind + ", cold"));
        }
    }

    private static long residentOfWaiting() throws IOException {
        return ProcessHandle.current()
                .children()
                .filter(child -> name(child.pid()).equals("caisson-launch"))
                .mapToLong(child -> proportional(child.pid()))
                .max()
                .orElseThrow();
    }

    private static String name(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/comm")).strip();
        } catch (IOException ended) {
            return "";
        }
    }

    private static long proportional(long pid) {
        try {
            return Files.readAllLines(Path.of("/proc/" + pid + "/smaps_rollup")).stream()
                    .filter(line -> line.startsWith("Pss:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .sum();
        } catch (IOException ended) {
            return 0;
        }
    }

    /** The C program, which spawns once for each line. */
    private record Spawner(Process process, BufferedReader lines) implements AutoCloseable {
        static Spawner start(Path work) throws IOException {
            var process = new ProcessBuilder(
                            work.resolve("spawn").toString(),
                            work.resolve("true").toString())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            return new Spawner(process, process.inputReader());
        }

        double spawn() throws IOException {
            process.getOutputStream().write('\n');
            process.getOutputStream().flush();
            String line = lines.readLine();
            if (line == null) {
                throw new IOException("spawn has ended");
            }
            return Double.parseDouble(line);
        }

        @Override
        public void close() {
            process.destroy();
        }
    }

    private static Object process(String program) throws IOException, InterruptedException {
        int code = new ProcessBuilder(program)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectErrorStream(true)
                .start()
                .waitFor();
        if (code != 0) {
            throw new IOException(program + " ended with " + code);
        }
        return code;
    }
}
