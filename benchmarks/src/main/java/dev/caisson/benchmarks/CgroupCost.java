// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import dev.caisson.Container;
import dev.caisson.ContainerBuilder;
import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.CgroupBuilder;
import dev.caisson.cgroups.CgroupBuilder.Version;
import dev.caisson.cgroups.file.ControlFile;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.linux.ByteUnit;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * Create, limit, enter, leave and remove a cgroup: Caisson and C in turns, in one run; then a launch with and without one,
 * beside crun's. See cgroup.sh.
 *
 * <p>Arguments: a directory with {@code cgroup} (the C program), {@code true} (static) and, for crun, {@code bundle/} and
 * {@code unlimited/}; rounds; cgroups a round.
 */
final class CgroupCost {
    private static final Limits LIMITS =
            Limits.none().memoryMax(64, ByteUnit.MB).cpus(1.5).pidsMax(64);
    /** What version 2 has without any controller. */
    private static final Limits ANYWHERE = Limits.none().unified("cgroup.max.descendants", "10");

    private static final String LIST = "cgroup.procs";

    private final Path work;
    private final int rounds;
    private final int each;
    private final Map<String, List<Double>> medians = new LinkedHashMap<>();

    private CgroupCost(Path work, int rounds, int each) {
        this.work = work;
        this.rounds = rounds;
        this.each = each;
    }

    public static void main(String[] args) throws Exception {
        new CgroupCost(Path.of(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2])).run();
    }

    private void run() throws Exception {
        var guest = new ProcessBuilder("sleep", "100000").start();
        try {
            var contestants = new LinkedHashMap<String, Callable<double[]>>();
            var all = CgroupMounts.ofThisProcess();
            if (all.legacyHierarchy("freezer").isPresent()) {
                var legacy = Cgroup.builder().only(Version.V1);
                contestants.put("Cgroup v1", () -> times(() -> cgroup(legacy, LIMITS, guest.pid())));
                contestants.put("C v1", () -> c(guest.pid(), "v1"));
            }
            if (all.unified().isPresent()) {
                var unified = Cgroup.builder().only(Version.V2);
                contestants.put("Cgroup v2", () -> times(() -> cgroup(unified, ANYWHERE, guest.pid())));
                contestants.put("C v2", () -> c(guest.pid(), "v2"));
            }
            boolean limited =
                    all.isUnified("memory") || all.legacyHierarchy("memory").isPresent();
            var limits = limited ? LIMITS : ANYWHERE;
            var quiet = Container.bare()
                    .stdin(Stdio.discard())
                    .stdout(Stdio.discard())
                    .stderr(Stdio.discard());
            contestants.put("launch without cgroup", () -> times(() -> launch(quiet)));
            contestants.put("launch with limits", () -> times(() -> launch(quiet.limits(limits))));
            for (String manager : List.of("disabled", "cgroupfs")) {
                if (all.unified().isEmpty() || all.legacy().isEmpty()) { // crun refuses hybrid layouts.
                    contestants.put(
                            "crun " + manager, () -> times(() -> crun(manager, limited ? "bundle" : "unlimited")));
                }
            }
            measure(contestants);
        } finally {
            guest.destroyForcibly().waitFor();
        }
    }

    private static Object cgroup(CgroupBuilder builder, Limits limits, long guest) throws IOException {
        try (var cgroup = builder.limits(limits).create()) {
            cgroup.add(guest);
            for (Path directory : cgroup.directories()) {
                ControlFile.write(directory.resolveSibling(LIST), Long.toString(guest));
            }
            return cgroup;
        }
    }

    private Object launch(ContainerBuilder builder) throws IOException, InterruptedException {
        return builder.run(work.resolve("true").toString());
    }

    private Object crun(String manager, String bundle) throws IOException, InterruptedException {
        var process = new ProcessBuilder(
                        "crun",
                        "--cgroup-manager=" + manager,
                        "run",
                        "-b",
                        work.resolve(bundle).toString(),
                        "caisson-bench")
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("crun: " + said);
        }
        return said;
    }

    private double[] times(Callable<?> job) throws Exception {
        var times = new double[each];
        for (int i = 0; i < each; i++) {
            long before = System.nanoTime();
            var _ = job.call();
            times[i] = (System.nanoTime() - before) / 1000.0;
        }
        return times;
    }

    private double[] c(long guest, String version) throws Exception {
        var process = new ProcessBuilder(
                        work.resolve("cgroup").toString(), Long.toString(guest), Integer.toString(each), version)
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("cgroup.c: " + said);
        }
        return said.lines().mapToDouble(Double::parseDouble).toArray();
    }

    private void measure(Map<String, Callable<double[]>> contestants) throws Exception {
        for (int round = -1; round < rounds; round++) {
            for (var contestant : contestants.entrySet()) {
                double[] times = contestant.getValue().call();
                if (round >= 0) { // The first round warms up.
                    Arrays.sort(times);
                    medians.computeIfAbsent(contestant.getKey(), _ -> new ArrayList<>())
                            .add(times[times.length / 2]);
                }
            }
        }
        medians.forEach((name, all) -> System.out.printf("%-24s %8.0f us%n", name, median(name)));
        ratio("Cgroup v1", "C v1");
        ratio("Cgroup v2", "C v2");
        difference("launch with limits", "launch without cgroup");
        difference("crun cgroupfs", "crun disabled");
    }

    private void ratio(String one, String other) {
        if (medians.containsKey(one)) {
            System.out.printf("%s / %s %.2f%n", one, other, median(one) / median(other));
        }
    }

    private void difference(String one, String other) {
        if (medians.containsKey(one)) {
            System.out.printf("%s - %s %.0f us%n", one, other, median(one) - median(other));
        }
    }

    private double median(String name) {
        var all = medians.getOrDefault(name, List.of()).stream().sorted().toList();
        return all.get(all.size() / 2);
    }
}
