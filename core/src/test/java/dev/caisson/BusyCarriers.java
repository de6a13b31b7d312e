// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;

import dev.caisson.cgroups.spec.Limits;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A JVM whose only carrier is kept busy by a virtual thread of the application while containers time out. */
final class BusyCarriers {
    private static final Duration BUSY = Duration.ofSeconds(12);
    private static final Duration IN_TIME = Duration.ofSeconds(6);
    private static final Duration TIMEOUT = Duration.ofMillis(300);

    private BusyCarriers() {}

    public static void main(String[] args) throws Exception {
        // What is loaded and started once is not what is asked about.
        var _ = overHost().limits(Limits.none()).run("true");
        long until = System.nanoTime() + BUSY.toNanos();
        Thread.ofVirtual().start(() -> {
            while (System.nanoTime() < until) {
                Thread.onSpinWait();
            }
        });
        tell("limited", overHost().limits(Limits.none()));
        tell("plain", overHost());
        long start = System.nanoTime();
        var used = overHost().cpuTimeMax(TIMEOUT).run("sh", "-c", "while :; do :; done");
        System.out.println("used up: " + used + inTime(start));
        long begin = System.nanoTime();
        try (var container = overHost().start("true")) {
            var _ = container.onExit().get(BUSY.toSeconds() * 2, TimeUnit.SECONDS);
            System.out.println("onExit" + inTime(begin));
        }
    }

    private static void tell(String what, ContainerBuilder builder) throws Exception {
        long begin = System.nanoTime();
        var exit = builder.timeout(TIMEOUT).run("sleep", "100");
        System.out.println(what + ": " + exit + inTime(begin));
    }

    private static String inTime(long begin) {
        long took = System.nanoTime() - begin;
        return took < IN_TIME.toNanos() / 2 ? " in time" : " after " + TimeUnit.NANOSECONDS.toMillis(took) + " ms";
    }
}
