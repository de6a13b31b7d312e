// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import dev.caisson.Container;
import dev.caisson.ContainerBuilder;
import dev.caisson.Containers;
import dev.caisson.spec.LogFile;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * Detached containers: start to running beside crun and runc, memory of many supervisors, and the throughput of their log. See
 * detached.sh.
 *
 * <p>Arguments: a directory with {@code bundle/}, in whose root is a static {@code /pause}; {@code start ROUNDS}, {@code memory
 * CONTAINERS} or {@code log MEGABYTES}.
 */
final class DetachedTimes {
    private static final List<String> RUNTIMES = List.of("crun", "runc");

    private final Path work;
    private final Path root;
    private final List<Container> own = new ArrayList<>();

    private DetachedTimes(Path work) {
        this.work = work;
        this.root = work.resolve("bundle/rootfs");
    }

    public static void main(String[] args) throws Exception {
        var times = new DetachedTimes(Path.of(args[0]));
        int number = Integer.parseInt(args[2]);
        switch (args[1]) {
            case "start" -> times.starts(number);
            case "memory" -> times.memory(number);
            case "log" -> times.log(number);
            default -> throw new IllegalArgumentException(args[1]);
        }
    }

    private ContainerBuilder named(String name) {
        return Container.builder().rootfs(root).name(name).detached();
    }

    private static void end(String name) throws IOException, InterruptedException {
        try (var container = Container.attach(name)) {
            var _ = container.stop(Duration.ZERO);
        }
        Containers.remove(name);
    }

    /** A start, and what takes it back, which is not measured. */
    private record Contestant(Callable<?> start, Callable<?> end) {}

    private void starts(int rounds) throws Exception {
        var contestants = new LinkedHashMap<String, Contestant>();
        contestants.put(
                "start, detached",
                new Contestant(
                        () -> {
                            named("one").start("/pause").close();
                            return 0;
                        },
                        () -> {
                            end("one");
                            return 0;
                        }));
        contestants.put(
                "start, of this JVM",
                new Contestant(
                        () -> {
                            own.add(Container.builder().rootfs(root).start("/pause"));
                            return 0;
                        },
                        () -> {
                            own.removeLast().close();
                            return 0;
                        }));
        for (String runtime : RUNTIMES) {
            var contestant = new Contestant(
                    () -> process(
                            runtime,
                            "run",
                            "-d",
                            "--bundle",
                            work.resolve("bundle").toString(),
                            "one"),
                    () -> process(runtime, "delete", "-f", "one"));
            try {
                contestant.start().call();
                contestant.end().call();
                contestants.put(runtime + " run -d", contestant);
            } catch (IOException absent) {
                System.out.println("skipped: " + absent.getMessage());
            }
        }
        Map<String, List<Double>> all = new LinkedHashMap<>();
        for (int round = 0; round < rounds; round++) {
            for (var contestant : contestants.entrySet()) {
                long begin = System.nanoTime();
                contestant.getValue().start().call();
                double micros = (System.nanoTime() - begin) / 1000.0;
                contestant.getValue().end().call();
                if (round >= rounds / 4) { // Those before warm up.
                    all.computeIfAbsent(contestant.getKey(), _ -> new ArrayList<>())
                            .add(micros);
                }
            }
        }
        double first = median(all.getOrDefault("start, detached", List.of(0.0)));
        all.forEach((name, times) -> System.out.printf(
                "%-20s %9.0f us   detached / this: %.2f%n", name, median(times), first / median(times)));
    }

    private static double median(List<Double> times) {
        double[] sorted = times.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private int process(String runtime, String... arguments) throws IOException, InterruptedException {
        var command =
                new ArrayList<>(List.of(runtime, "--root", work.resolve(runtime).toString()));
        if (runtime.equals("crun")) {
            command.add("--cgroup-manager=disabled");
        }
        command.addAll(List.of(arguments));
        int code = new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
        if (code != 0) {
            throw new IOException(String.join(" ", command) + " ended with " + code);
        }
        return code;
    }

    private void memory(int count) throws Exception {
        long before = available();
        long begin = System.nanoTime();
        for (int i = 0; i < count; i++) {
            named("m" + i).start("/pause").close();
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        long after = available();
        long resident = 0;
        long share = 0;
        for (var entry : Containers.list()) {
            String supervisor = Files.readString(Path.of("/proc/" + entry.pid().orElseThrow() + "/stat"));
            String parent =
                    supervisor.substring(supervisor.lastIndexOf(')') + 2).split(" ")[1];
            resident += rollup(parent, "Rss:");
            share += rollup(parent, "Pss:");
        }
        System.out.printf(
                "%d detached, alive: supervisors %.1f kB resident, %.1f kB by shares (Pss) each; all of the machine's memory"
                        + " for one, kernel and container included: %.0f kB; started in %.1f s%n",
                count, (double) resident / count, (double) share / count, (double) (before - after) / count, seconds);
        for (int i = 0; i < count; i++) {
            end("m" + i);
        }
    }

    private static long available() throws IOException {
        return field(Path.of("/proc/meminfo"), "MemAvailable:");
    }

    private static long rollup(String pid, String name) throws IOException {
        return field(Path.of("/proc/" + pid + "/smaps_rollup"), name);
    }

    private static long field(Path file, String name) throws IOException {
        return Files.readAllLines(file).stream()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElseThrow();
    }

    private void log(int megabytes) throws Exception {
        long bytes = (long) megabytes << 20;
        String script = "yes 0123456789012345678901234567890123456789012345678901234567890123456789 | head -c " + bytes;
        for (var log : List.of(LogFile.cri(work.resolve("cri.log")), LogFile.json(work.resolve("json.log")))) {
            long begin = System.nanoTime();
            try (var container = Container.builder()
                    .lower(Path.of("/"))
                    .name("log")
                    .detached()
                    .stdout(Stdio.log(log))
                    .start("/bin/sh", "-c", script)) {
                var _ = container.waitFor();
            }
            double seconds = (System.nanoTime() - begin) / 1e9;
            long[] read = {0};
            Containers.log("log", false, output -> read[0] += output.bytes().length);
            System.out.printf(
                    "%s: %.0f MB/s, %d of %d bytes lost%n", log.format(), megabytes / seconds, bytes - read[0], bytes);
            Containers.remove("log");
            Files.delete(log.path());
        }
    }
}
