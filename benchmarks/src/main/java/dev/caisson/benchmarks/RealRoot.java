// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import dev.caisson.Container;
import dev.caisson.ContainerBuilder;
import dev.caisson.linux.ByteUnit;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What users run: the dynamic {@code /bin/true} over this machine's own root, with and without limits, beside bubblewrap and
 * ProcessBuilder, in turns, in one run; then launches per second from several threads. Run it as root and as an ordinary user.
 *
 * <p>Arguments: launches of each; seconds of each number of threads, 0 for none.
 */
final class RealRoot {
    private static final String TRUE = "/bin/true";
    private static final List<String> BWRAP =
            List.of("bwrap", "--ro-bind", "/", "/", "--unshare-all", "--proc", "/proc", "--dev", "/dev", TRUE);
    private static final int[] THREADS = {1, 8, 32, 64};
    private static final double TICKS_PER_SECOND = 100;
    private static final int UNCOUNTED = 10;
    private static final int PARTS = 4;

    private RealRoot() {}

    public static void main(String[] args) throws Exception {
        var contestants = contestants();
        inTurns(contestants, Integer.parseInt(args[0]));
        int seconds = Integer.parseInt(args[1]);
        if (seconds > 0) {
            System.out.printf("%n%-28s %8s %14s %22s%n", "", "threads", "launches/s", "processor us/launch");
            for (var contestant : contestants.entrySet()) {
                for (int threads : THREADS) {
                    atOnce(contestant.getKey(), contestant.getValue(), threads, seconds);
                }
            }
        }
    }

    private static Map<String, Callable<?>> contestants() {
        var contestants = new LinkedHashMap<String, Callable<?>>();
        contestants.put("ProcessBuilder", () -> process(List.of(TRUE)));
        contestants.put("bwrap", () -> process(BWRAP));
        put(contestants, "builder()", Container.builder());
        put(contestants, "sandbox()", Container.sandbox());
        put(contestants, "builder(), memoryMax", Container.builder().memoryMax(256, ByteUnit.MB));
        put(contestants, "sandbox(), memoryMax", Container.sandbox().memoryMax(256, ByteUnit.MB));
        var usable = new LinkedHashMap<String, Callable<?>>();
        contestants.forEach((name, call) -> {
            try {
                var _ = call.call();
                usable.put(name, call);
            } catch (Exception refused) {
                System.out.println("skipped: " + name + ": " + refused.getMessage());
            }
        });
        return usable;
    }

    private static void put(Map<String, Callable<?>> contestants, String name, ContainerBuilder builder) {
        var over = builder.lower(Path.of("/"))
                .stdin(Stdio.discard())
                .stdout(Stdio.discard())
                .stderr(Stdio.discard());
        contestants.put(name, () -> over.run(TRUE).orThrow());
    }

    private static Object process(List<String> command) throws IOException, InterruptedException {
        int code = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectErrorStream(true)
                .start()
                .waitFor();
        if (code != 0) {
            throw new IOException(command + " ended with " + code);
        }
        return code;
    }

    /** The first launches of a JVM run code that is not compiled yet, those after a thousand run what a service runs. */
    private static void inTurns(Map<String, Callable<?>> contestants, int launches) throws Exception {
        var times = new LinkedHashMap<String, double[]>();
        contestants.keySet().forEach(name -> times.put(name, new double[launches]));
        for (int i = -UNCOUNTED; i < launches; i++) {
            for (var contestant : contestants.entrySet()) {
                long before = System.nanoTime();
                var _ = contestant.getValue().call();
                if (i >= 0) {
                    times.get(contestant.getKey())[i] = (System.nanoTime() - before) / 1000.0;
                }
            }
        }
        int part = Math.max(1, launches / PARTS);
        System.out.printf(
                "%-24s %22s %22s%n",
                "start to exit, " + TRUE, "us, first " + part + " (/ bwrap)", "us, last " + part + " (/ bwrap)");
        times.forEach((name, all) -> {
            var bwrap = times.getOrDefault("bwrap", all);
            System.out.printf(
                    Locale.ROOT,
                    "%-24s %14.0f (%5.2f) %14.0f (%5.2f)%n",
                    name,
                    median(all, 0, part),
                    median(all, 0, part) / median(bwrap, 0, part),
                    median(all, launches - part, launches),
                    median(all, launches - part, launches) / median(bwrap, launches - part, launches));
        });
    }

    private static double median(double[] values, int from, int to) {
        var sorted = Arrays.copyOfRange(values, from, to);
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static void atOnce(String name, Callable<?> call, int threads, int seconds) throws Exception {
        var count = new AtomicInteger();
        var ready = new CountDownLatch(threads);
        double before = processorSeconds();
        long begin = System.nanoTime();
        long end = begin + seconds * 1_000_000_000L;
        try (var pool = Executors.newFixedThreadPool(threads)) {
            for (int i = 0; i < threads; i++) {
                var _ = pool.submit(() -> {
                    ready.countDown();
                    ready.await();
                    while (System.nanoTime() < end) {
                        var _ = call.call();
                        count.incrementAndGet();
                    }
                    return null;
                });
            }
        }
        double took = (System.nanoTime() - begin) / 1e9;
        System.out.printf(
                Locale.ROOT,
                "%-28s %8d %14.0f %22.0f%n",
                name,
                threads,
                count.get() / took,
                (processorSeconds() - before) * 1e6 / count.get());
    }

    /** {@return the processor time of this JVM, of all children it has reaped and of those that live, such as the zygote} */
    private static double processorSeconds() throws IOException {
        double ticks = ticks(ProcessHandle.current().pid());
        for (var child : ProcessHandle.current().children().toList()) {
            ticks += ticks(child.pid());
        }
        return ticks / TICKS_PER_SECOND;
    }

    /** The 14th to the 17th field of proc_pid_stat(5): own and reaped children's, in user and kernel mode. */
    private static double ticks(long pid) throws IOException {
        String line = Files.readString(Path.of("/proc/" + pid + "/stat"));
        String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ");
        double ticks = 0;
        for (int i = 11; i < 15; i++) {
            ticks += Double.parseDouble(fields[i]);
        }
        return ticks;
    }
}
