// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import dev.caisson.Container;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.stream.Stream;

/**
 * What a live container costs the JVM: heap after collection, other memory of the JVM, threads, descriptors. Run it with
 * {@code -Xms256m -Xmx256m -XX:+AlwaysPreTouch}, so that the heap itself does not grow. Argument: how many.
 */
final class Density {
    private static final int WARM_UP = 50;

    private Density() {}

    /** What this JVM takes. */
    record Snapshot(long heap, long resident, long threads, long descriptors) {
        static Snapshot take() throws IOException, InterruptedException {
            for (int i = 0; i < 3; i++) {
                System.gc();
                Thread.sleep(200);
            }
            return new Snapshot(
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
                    Files.readAllLines(Path.of("/proc/self/status")).stream()
                            .filter(line -> line.startsWith("RssAnon:"))
                            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                            .sum(),
                    count("/proc/self/task"),
                    count("/proc/self/fd"));
        }

        private static long count(String directory) throws IOException {
            try (Stream<Path> entries = Files.list(Path.of(directory))) {
                return entries.count();
            }
        }
    }

    public static void main(String[] args) throws Exception {
        int many = Integer.parseInt(args[0]);
        Path layer = Files.createTempDirectory("caisson-density");
        Path program = layer.resolve("pauses");
        Files.write(program, TinyElf.pauses());
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(layer, PosixFilePermissions.fromString("rwxr-xr-x"));
        try {
            measure(layer, WARM_UP);
            var before = Snapshot.take();
            var alive = start(layer, many);
            var after = Snapshot.take();
            for (var container : alive) {
                container.close();
            }
            System.out.printf(
                    "%d containers alive: each %.1f KB of heap, %.1f KB of other JVM memory, %.2f descriptors; threads %d -> %d%n",
                    many,
                    (after.heap - before.heap) / 1024.0 / many,
                    (after.resident - before.resident) / 1024.0 / many,
                    (after.descriptors - before.descriptors) / (double) many,
                    before.threads,
                    after.threads);
        } finally {
            Files.delete(program);
            Files.delete(layer);
        }
    }

    private static void measure(Path layer, int many) throws IOException {
        for (var container : start(layer, many)) {
            container.close();
        }
    }

    private static ArrayList<Container> start(Path layer, int many) throws IOException {
        var builder = Container.builder()
                .lower(layer)
                .newNetwork()
                .stdin(Stdio.discard())
                .stdout(Stdio.discard())
                .stderr(Stdio.discard());
        var alive = new ArrayList<Container>(many);
        for (int i = 0; i < many; i++) {
            alive.add(builder.start("/pauses"));
        }
        return alive;
    }
}
