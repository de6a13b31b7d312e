// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import dev.caisson.Container;
import dev.caisson.launch.ParentSide;
import dev.caisson.launch.Slots;
import dev.caisson.linux.Arch;
import dev.caisson.linux.child.Encoder;
import dev.caisson.linux.child.Launch;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;

/**
 * Start to exit of a tiny static program: Caisson, C, and other tools side by side, in turns, in one run. See compare.sh.
 *
 * <p>Arguments: a directory with {@code true} (static), {@code layer/} (with the same as {@code /true}), {@code bundle-*}
 * for the OCI runtimes and {@code cbench}; rounds; launches a round.
 */
final class Compare {
    private static final String HOST_NETWORK_BWRAP = "bwrap, the host's network";

    private final Path work;
    private final int rounds;
    private final int launches;
    private final Map<String, List<Double>> medians = new LinkedHashMap<>();
    private final Map<Variant, String> ways = new EnumMap<>(Variant.class);

    private Compare(Path work, int rounds, int launches) {
        this.work = work;
        this.rounds = rounds;
        this.launches = launches;
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("--c")) {
            System.out.print(source(Path.of(args[1])));
            return;
        }
        new Compare(Path.of(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2])).run();
    }

    /** {@return the generated part of the C program} */
    private static String source(Path work) throws IOException {
        var text = new StringBuilder();
        var table = new StringBuilder("static const struct variant variants[] = {\n");
        for (var variant : Variant.values()) {
            String name = variant.name().toLowerCase(java.util.Locale.ROOT);
            text.append(CSource.of(name, variant.plan(work.resolve("layer"), command(work, variant))));
            table.append("    {\"" + variant + "\", " + name + "_prepare, " + name + "_child, &" + name + "_flags},\n");
        }
        return text.append(table).append("};\n").toString();
    }

    private static List<String> command(Path work, Variant variant) {
        return List.of(
                variant.name().startsWith("CONTAINER")
                        ? "/true"
                        : work.resolve("true").toString());
    }

    private void run() throws Exception {
        Path layer = work.resolve("layer");
        String program = work.resolve("true").toString();
        try (var launcher = new Launcher();
                var nothing = Files.open("/dev/null", OpenFlags.O_RDWR, 0)) {
            var contestants = new LinkedHashMap<String, Callable<?>>();
            contestants.put("ProcessBuilder", () -> process(program));
            for (var variant : Variant.values()) {
                var plan = variant.plan(layer, command(work, variant));
                var encoded = Encoder.encode(plan.program(), Arch.host());
                var descriptors = Map.of(
                        Slots.descriptor(0), nothing.number(),
                        Slots.descriptor(1), nothing.number(),
                        Slots.descriptor(2), nothing.number());
                ways.put(variant, plan.mode() == Launch.Mode.DIRECT ? "in the JVM" : "by the zygote");
                contestants.put(
                        "engine " + variant,
                        () -> launch(
                                launcher,
                                new Launch(
                                        encoded,
                                        plan.mode(),
                                        plan.flags(),
                                        OptionalInt.empty(),
                                        descriptors,
                                        ParentSide.gates(plan, Fd::close, Fd::close, _ -> {}))));
                var builder = variant.builder(layer);
                contestants.put("Container " + variant, () -> builder.run(command(work, variant)));
            }
            // What bubblewrap is asked for below: no overlay, a read-only root. Ours still masks, drops and filters.
            var readOnly = Container.builder()
                    .rootfs(layer)
                    .readOnly()
                    .newNetwork()
                    .newIpc()
                    .newUts()
                    .stdin(Stdio.discard())
                    .stdout(Stdio.discard())
                    .stderr(Stdio.discard());
            contestants.put("Container over a read-only root", () -> readOnly.run("/true"));
            tool(
                    contestants,
                    "bwrap",
                    "--unshare-pid",
                    "--unshare-ipc",
                    "--unshare-uts",
                    "--unshare-net",
                    "--ro-bind",
                    layer.toString(),
                    "/",
                    "--proc",
                    "/proc",
                    "--dev",
                    "/dev",
                    "/true");
            tool(
                    contestants,
                    "bwrap",
                    "--unshare-pid",
                    "--unshare-ipc",
                    "--unshare-uts",
                    "--ro-bind",
                    layer.toString(),
                    "/",
                    "--proc",
                    "/proc",
                    "--dev",
                    "/dev",
                    "/true");
            tool(
                    contestants,
                    "crun",
                    "--cgroup-manager=disabled",
                    "run",
                    "-b",
                    work.resolve("bundle").toString(),
                    "c");
            tool(contestants, "runc", "run", "-b", work.resolve("bundle").toString(), "r");
            measure(contestants);
        }
    }

    private void tool(Map<String, Callable<?>> contestants, String... command) throws Exception {
        for (String directory : List.of("/usr/bin", "/usr/sbin")) {
            if (java.nio.file.Files.isExecutable(Path.of(directory, command[0]))) {
                try {
                    process(command);
                    contestants.put(named(command), () -> process(command));
                } catch (IOException refused) {
                    System.out.println("skipped: " + command[0] + ": " + refused.getMessage());
                }
                return;
            }
        }
        System.out.println("skipped: " + command[0] + " is not installed");
    }

    private static String named(String... command) {
        boolean hostNetwork = command[0].equals("bwrap") && !List.of(command).contains("--unshare-net");
        return hostNetwork ? HOST_NETWORK_BWRAP : command[0];
    }

    private void measure(Map<String, Callable<?>> contestants) throws Exception {
        for (int round = -1; round < rounds; round++) {
            for (var contestant : contestants.entrySet()) {
                boolean slow =
                        List.of("runc", "crun", "bwrap", HOST_NETWORK_BWRAP).contains(contestant.getKey());
                var times = new double[slow ? Math.max(10, launches / 10) : launches];
                for (int i = 0; i < times.length; i++) {
                    long before = System.nanoTime();
                    var _ = contestant.getValue().call();
                    times[i] = (System.nanoTime() - before) / 1000.0;
                }
                record(round, contestant.getKey(), times);
            }
            for (var variant : Variant.values()) {
                record(round, "C " + variant, c(variant.name()));
            }
            record(round, "C posix_spawn", c("posix_spawn"));
        }
        System.out.printf("%-36s %10s%n", "start to exit", "median us");
        medians.forEach((name, all) -> System.out.printf("%-36s %10.0f%n", name, median(all)));
        for (var variant : Variant.values()) {
            double c = median(medians.get("C " + variant));
            double engine = median(medians.get("engine " + variant));
            System.out.printf(
                    "beside C  %-16s engine %-14s %.2f (%+.0f us)  Container %.2f%n",
                    variant,
                    ways.get(variant) + ",",
                    engine / c,
                    engine - c,
                    median(medians.get("Container " + variant)) / c);
        }
        double container = median(medians.get("Container CONTAINER_NET"));
        for (String tool : List.of("bwrap", "crun", "runc")) {
            if (medians.containsKey(tool)) {
                System.out.printf("Container / %-6s %.3f%n", tool, container / median(medians.get(tool)));
            }
        }
        if (medians.containsKey("bwrap")) {
            System.out.printf(
                    "Container, the host's network / %s %.3f%n",
                    HOST_NETWORK_BWRAP,
                    median(medians.get("Container CONTAINER")) / median(medians.get(HOST_NETWORK_BWRAP)));
            System.out.printf(
                    "Container over a read-only root / bwrap %.3f%n",
                    median(medians.get("Container over a read-only root")) / median(medians.get("bwrap")));
        }
        System.out.printf(
                "Container PID_MNT_IPC_UTS / ProcessBuilder %.3f%n",
                median(medians.get("Container PID_MNT_IPC_UTS")) / median(medians.get("ProcessBuilder")));
    }

    private void record(int round, String name, double[] times) {
        if (round >= 0) { // The first round warms up.
            Arrays.sort(times);
            medians.computeIfAbsent(name, _ -> new ArrayList<>()).add(times[times.length / 2]);
        }
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }

    private double[] c(String variant) throws Exception {
        var process = new ProcessBuilder(
                        work.resolve("cbench").toString(),
                        variant,
                        Integer.toString(launches),
                        work.resolve("true").toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("cbench " + variant + ": " + said);
        }
        return said.lines().mapToDouble(Double::parseDouble).toArray();
    }

    private static Object launch(Launcher launcher, Launch launch) throws IOException {
        var outcome = launcher.launch(launch);
        if (!(outcome instanceof Outcome.Child child)) {
            throw new IOException(outcome.toString());
        }
        return child.reap();
    }

    private static Object process(String... command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectErrorStream(true)
                .start();
        int code = process.waitFor();
        if (code != 0) {
            throw new IOException(String.join(" ", command) + " ended with " + code);
        }
        return code;
    }
}
