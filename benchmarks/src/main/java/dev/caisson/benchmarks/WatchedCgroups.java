// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import dev.caisson.benchmarks.Density.Snapshot;
import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.file.ControlFile;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.linux.ByteUnit;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What it costs to watch many cgroups at once: memory, descriptors, threads, processor time at rest and for each event, and how
 * soon an event arrives. As root, with version 2.
 *
 * <p>Arguments: how many cgroups.
 */
final class WatchedCgroups {
    private static final int REST_MILLIS = 5000;
    private static final int ROUNDS = 5;

    private final int many;
    private final List<Cgroup> cgroups = new ArrayList<>();
    private final AtomicLongArray toldAt;
    private volatile CountDownLatch told = new CountDownLatch(0);

    private WatchedCgroups(int many) {
        this.many = many;
        this.toldAt = new AtomicLongArray(many);
    }

    public static void main(String[] args) throws Exception {
        new WatchedCgroups(Integer.parseInt(args[0])).run();
    }

    private void run() throws Exception {
        var mounts = CgroupMounts.ofThisProcess();
        // Each limit is one more file to watch, wherever its controller is.
        var limits = mounts.legacyHierarchy("memory").isPresent() || mounts.isUnified("memory")
                ? Limits.none().memoryMax(64, ByteUnit.MB).pidsMax(64)
                : Limits.none();
        try {
            for (int i = 0; i < many; i++) {
                cgroups.add(Cgroup.builder().limits(limits).create());
            }
            cgroups.getFirst().events().subscribe(new Subscriber(0)); // The poller itself is not what is measured.
            var before = Snapshot.take();
            for (int i = 1; i < many; i++) {
                cgroups.get(i).events().subscribe(new Subscriber(i));
            }
            var after = Snapshot.take();
            System.out.printf(
                    "%d cgroups watched: each %.2f KB of heap, %.2f KB of other JVM memory, %.2f descriptors; threads %d -> %d%n",
                    many,
                    (after.heap() - before.heap()) / 1024.0 / (many - 1),
                    (after.resident() - before.resident()) / 1024.0 / (many - 1),
                    (after.descriptors() - before.descriptors()) / (double) (many - 1),
                    before.threads(),
                    after.threads());
            long begin = processorNanos();
            Thread.sleep(REST_MILLIS);
            System.out.printf(
                    "at rest: %.2f ms of processor time in %d s%n",
                    (processorNanos() - begin) / 1e6, REST_MILLIS / 1000);
            for (int round = 0; round < ROUNDS; round++) {
                tell(round % 2 == 0 ? "1" : "0");
            }
        } finally {
            for (var cgroup : cgroups) {
                cgroup.close();
            }
        }
    }

    private void tell(String frozen) throws IOException, InterruptedException {
        told = new CountDownLatch(many);
        var wroteAt = new long[many];
        long begin = processorNanos();
        for (int i = 0; i < many; i++) {
            Path file = cgroups.get(i).directory("").orElseThrow().resolve("cgroup.freeze");
            wroteAt[i] = System.nanoTime();
            ControlFile.write(file, frozen);
        }
        if (!told.await(30, TimeUnit.SECONDS)) {
            throw new IOException(told.getCount() + " events did not arrive");
        }
        double micros = (processorNanos() - begin) / 1e3 / many;
        var delays = new double[many];
        Arrays.setAll(delays, i -> (toldAt.get(i) - wroteAt[i]) / 1e3);
        Arrays.sort(delays);
        System.out.printf(
                "an event in each: %.0f us of processor time each (the write included), told after %.0f us (median),"
                        + " %.0f (99 of 100)%n",
                micros, delays[many / 2], delays[many * 99 / 100]);
    }

    private static long processorNanos() {
        return ProcessHandle.current()
                .info()
                .totalCpuDuration()
                .map(Duration::toNanos)
                .orElse(0L);
    }

    private final class Subscriber implements Flow.Subscriber<CgroupEvent> {
        private final int number;

        Subscriber(int number) {
            this.number = number;
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(CgroupEvent event) {
            if (event instanceof CgroupEvent.Frozen) {
                toldAt.set(number, System.nanoTime());
                told.countDown();
            }
        }

        @Override
        public void onError(Throwable why) {
            System.err.println(why);
        }

        @Override
        public void onComplete() {}
    }
}
