// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import com.sun.management.ThreadMXBean;
import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.CgroupBuilder;
import dev.caisson.cgroups.CgroupBuilder.Version;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.linux.ByteUnit;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;

/**
 * One snapshot of a cgroup's usage: Caisson and C in turns, in one run; C with files opened each time and with files kept open.
 * See usage.sh.
 *
 * <p>Arguments: the C program; rounds; snapshots a round.
 */
final class UsageCost {
    private static final List<String> UNIFIED = List.of(
            "cpu.stat",
            "memory.current",
            "pids.current",
            "memory.peak",
            "memory.events",
            "memory.stat",
            "memory.swap.current",
            "memory.swap.peak",
            "memory.swap.events",
            "io.stat",
            "pids.peak",
            "pids.events",
            "hugetlb.2MB.current",
            "hugetlb.2MB.events",
            "hugetlb.1GB.current",
            "hugetlb.1GB.events",
            "rdma.current",
            "misc.current",
            "cpu.pressure",
            "memory.pressure",
            "io.pressure",
            "irq.pressure");
    private static final Map<String, List<String>> LEGACY = Map.of(
            "cpuacct", List.of("cpuacct.usage", "cpuacct.usage_user", "cpuacct.usage_sys"),
            "cpu", List.of("cpu.stat"),
            "memory",
                    List.of(
                            "memory.usage_in_bytes",
                            "memory.max_usage_in_bytes",
                            "memory.failcnt",
                            "memory.oom_control",
                            "memory.kmem.usage_in_bytes",
                            "memory.stat",
                            "memory.memsw.failcnt",
                            "memory.stat"),
            "pids", List.of("pids.current", "pids.peak", "pids.events"));

    private final String c;
    private final int rounds;
    private final int each;

    private UsageCost(String c, int rounds, int each) {
        this.c = c;
        this.rounds = rounds;
        this.each = each;
    }

    public static void main(String[] args) throws Exception {
        new UsageCost(args[0], Integer.parseInt(args[1]), Integer.parseInt(args[2])).run();
    }

    private void run() throws Exception {
        var all = CgroupMounts.ofThisProcess();
        var limits = Limits.none().memoryMax(64, ByteUnit.MB).cpus(1.5).pidsMax(64);
        if (all.unified().isPresent()) {
            measure("v2", Cgroup.builder().only(Version.V2), all.layout().equals("unified") ? limits : Limits.none());
        }
        if (all.legacyHierarchy("freezer").isPresent()) {
            measure("v1", Cgroup.builder().only(Version.V1), limits);
        }
        if (all.layout().equals("hybrid")) {
            measure("both", Cgroup.builder(), limits);
        }
    }

    private void measure(String name, CgroupBuilder builder, Limits limits) throws Exception {
        var guest = new ProcessBuilder("sleep", "100000").start();
        try (var cgroup = builder.limits(limits).create();
                var meter = cgroup.meter()) {
            cgroup.add(guest.pid());
            var files = files(cgroup);
            var medians = new LinkedHashMap<String, List<Double>>();
            for (int round = -2; round < rounds; round++) {
                double ours = median(caisson(cgroup::usage));
                double metered = median(caisson(meter::usage));
                double opened = median(c("open", files));
                double kept = median(c("kept", files));
                if (round >= 0) { // The first rounds warm up.
                    medians.computeIfAbsent("Cgroup.usage", _ -> new ArrayList<>())
                            .add(ours);
                    medians.computeIfAbsent("UsageMeter", _ -> new ArrayList<>())
                            .add(metered);
                    medians.computeIfAbsent("C", _ -> new ArrayList<>()).add(opened);
                    medians.computeIfAbsent("C, kept open", _ -> new ArrayList<>())
                            .add(kept);
                }
            }
            System.out.printf("%s, %d files%n", name, files.size());
            medians.forEach((who, times) -> System.out.printf("  %-16s %7.1f us%n", who, middle(times)));
            System.out.printf(
                    "  %.2f of C, %d bytes of heap%n",
                    middle(medians.getOrDefault("Cgroup.usage", List.of(0.0)))
                            / middle(medians.getOrDefault("C", List.of(1.0))),
                    allocated(cgroup));
        } finally {
            guest.destroyForcibly().waitFor();
        }
    }

    private static List<String> files(Cgroup cgroup) {
        var files = new ArrayList<String>();
        Optional<Path> unified = cgroup.directory("");
        unified.ifPresent(d -> UNIFIED.forEach(f -> files.add(d.resolve(f).toString())));
        LEGACY.forEach((controller, names) -> cgroup.directory(controller)
                .filter(d -> !Optional.of(d).equals(unified))
                .ifPresent(d -> names.forEach(f -> files.add(d.resolve(f).toString()))));
        return files;
    }

    private double[] caisson(Callable<?> snapshot) throws Exception {
        var times = new double[each];
        for (int i = 0; i < each; i++) {
            long before = System.nanoTime();
            var _ = snapshot.call();
            times[i] = (System.nanoTime() - before) / 1000.0;
        }
        return times;
    }

    private static long allocated(Cgroup cgroup) throws IOException {
        var bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = bean.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 1000; i++) {
            var _ = cgroup.usage();
        }
        return (bean.getCurrentThreadAllocatedBytes() - before) / 1000;
    }

    private double[] c(String mode, List<String> files) throws Exception {
        var command = new ArrayList<>(List.of(c, Integer.toString(each), mode));
        command.addAll(files);
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("usage.c: " + said);
        }
        return said.lines().mapToDouble(Double::parseDouble).toArray();
    }

    private static double median(double[] times) {
        Arrays.sort(times);
        return times[times.length / 2];
    }

    private static double middle(List<Double> medians) {
        var sorted = medians.stream().sorted().toList();
        return sorted.get(sorted.size() / 2);
    }
}
