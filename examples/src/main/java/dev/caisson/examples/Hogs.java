// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.ContainerProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;

/**
 * Processes that want all there is. They need nothing but a shell and {@code tail}.
 *
 * @param kinds which
 * @param memoryBytes what the memory hog has taken after two thirds of the time
 */
record Hogs(Set<Kind> kinds, long memoryBytes, Duration time) {
    private static final int BITE = 1 << 18;

    /** What a hog wants. */
    enum Kind {
        memory,
        cpu,
        fork
    }

    /** {@return the command of the container} */
    String[] command() {
        var script = new StringBuilder();
        // The nice ones leave the memory hog some of the little processor time there is.
        if (kinds.contains(Kind.cpu)) {
            script.append("nice -n 19 sh -c 'while :; do :; done' & ");
        }
        if (kinds.contains(Kind.fork)) {
            // A fork that is refused ends the shell. It begins anew by exec, which needs no process.
            script.append("""
                    export hog='trap "exec sh -c \\"\\$hog\\"" EXIT; while :; do sleep 1000 & done'
                    nice -n 19 sh -c "$hog" 2>/dev/null &
                    """);
        }
        // tail keeps the last line. There is no end of it, so it keeps all that it is fed.
        script.append(kinds.contains(Kind.memory) ? "exec tail -n 1" : "exec sleep 86400");
        return new String[] {"/bin/sh", "-c", script.toString()};
    }

    /** Feeds the memory hog, bite by bite, until it dies or this thread is interrupted. */
    void feed(ContainerProcess container) {
        byte[] bite = new byte[BITE];
        long begin = System.nanoTime();
        try (var stdin = container.stdin()) {
            for (long eaten = 0; ; eaten += BITE) {
                stdin.write(bite);
                stdin.flush();
                // As a part of the limit, so much of two thirds of the time.
                double due = (double) eaten / memoryBytes * time.toNanos() * 2 / 3;
                Thread.sleep(Duration.ofNanos(Math.max(0, Math.round(due) - (System.nanoTime() - begin))));
            }
        } catch (IOException dead) {
            // That is how it ends.
        } catch (InterruptedException enough) {
            Thread.currentThread().interrupt();
        }
    }
}
