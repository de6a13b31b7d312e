// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import dev.caisson.CommandBuilder;
import dev.caisson.Container;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * A second command in a running container: Caisson and others in turns, in one run. See exec.sh.
 *
 * <p>Arguments: a directory with {@code bundle/}, in whose root are {@code /true} and {@code /pause}, both static; rounds;
 * commands a round, of the slow ones a tenth.
 */
final class ExecTimes {
    private static final List<String> RUNTIMES = List.of("crun", "runc");
    private static final String NAME = "caisson-exec-times";

    private final Path work;
    private final int rounds;
    private final int each;
    private final Map<String, List<Double>> medians = new LinkedHashMap<>();

    private ExecTimes(Path work, int rounds, int each) {
        this.work = work;
        this.rounds = rounds;
        this.each = each;
    }

    public static void main(String[] args) throws Exception {
        new ExecTimes(Path.of(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2])).run();
    }

    private void run() throws Exception {
        Path root = work.resolve("bundle/rootfs");
        var builder = Container.builder().rootfs(root);
        var started = new ArrayList<String>();
        try (var plain = builder.start("/pause");
                var limited = builder.limits(Limits.none()).start("/pause")) {
            var contestants = new LinkedHashMap<String, Callable<double[]>>();
            String pid = Long.toString(plain.pid());
            contestants.put("ProcessBuilder, on the host", () -> times(each, process(root + "/true")));
            contestants.put("command", () -> times(each, quiet(plain.command("/true"))::run));
            var kept = quiet(plain.command("/true"));
            contestants.put("command, the same builder", () -> times(each, kept::run));
            contestants.put("command in a cgroup", () -> times(each, quiet(limited.command("/true"))::run));
            contestants.put("nsenter", () -> times(each / 10, process("nsenter", "-t", pid, "-a", "/true")));
            for (String runtime : RUNTIMES) {
                if (canRun(runtime)) {
                    started.add(runtime);
                    contestants.put(
                            runtime + " exec",
                            () -> times(each / 10, process(command(runtime, "exec", NAME, "/true"))));
                }
            }
            for (int round = 0; round < rounds; round++) {
                for (var contestant : contestants.entrySet()) {
                    double[] times = contestant.getValue().call();
                    Arrays.sort(times);
                    if (round > 0) { // The first one warms up.
                        medians.computeIfAbsent(contestant.getKey(), _ -> new ArrayList<>())
                                .add(times[times.length / 2]);
                    }
                }
            }
        } finally {
            for (String runtime : started) {
                var _ = process(command(runtime, "delete", "-f", NAME)).call();
            }
        }
        double own = median("command");
        medians.keySet()
                .forEach(name -> System.out.printf(
                        "%-30s %9.0f us   command / this: %.2f%n", name, median(name), own / median(name)));
    }

    private double median(String name) {
        double[] all = medians.get(name).stream()
                .mapToDouble(Double::doubleValue)
                .sorted()
                .toArray();
        return all[all.length / 2];
    }

    private boolean canRun(String runtime) throws Exception {
        if (!Files.exists(work.resolve("bundle/config.json"))) {
            return false;
        }
        try {
            int code = process(command(
                            runtime,
                            "run",
                            "-d",
                            "--bundle",
                            work.resolve("bundle").toString(),
                            NAME))
                    .call();
            return code == 0;
        } catch (IOException absent) {
            return false;
        }
    }

    private String[] command(String runtime, String... arguments) {
        var all =
                new ArrayList<>(List.of(runtime, "--root", work.resolve(runtime).toString()));
        if (runtime.equals("crun")) {
            all.add("--cgroup-manager=disabled");
        }
        all.addAll(List.of(arguments));
        return all.toArray(String[]::new);
    }

    private static CommandBuilder quiet(CommandBuilder command) {
        return command.stdin(Stdio.discard()).stdout(Stdio.discard()).stderr(Stdio.discard());
    }

    private static Callable<Integer> process(String... command) {
        var builder = new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD);
        return () -> builder.start().waitFor();
    }

    private static double[] times(int count, Callable<?> work) throws Exception {
        double[] times = new double[Math.max(count, 1)];
        for (int i = 0; i < times.length; i++) {
            long start = System.nanoTime();
            var _ = work.call();
            times[i] = (System.nanoTime() - start) / 1000.0;
        }
        return times;
    }
}
