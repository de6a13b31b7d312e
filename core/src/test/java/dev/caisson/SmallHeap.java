// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;

import dev.caisson.spec.Stdio;
import java.time.Duration;

/** A JVM whose heap does not hold what a container writes. */
final class SmallHeap {
    private static final int OUTPUT = 40_000_000;

    private SmallHeap() {}

    public static void main(String[] args) throws Exception {
        var builder = overHost().timeout(Duration.ofSeconds(20));
        for (int i = 0; i < 3; i++) {
            try {
                var output = builder.stdout(Stdio.memory(OUTPUT)).capture("head", "-c", "" + OUTPUT, "/dev/zero");
                System.out.println("whole: " + (output.stdout().length == OUTPUT && !output.isTruncated()));
            } catch (ContainerException refused) {
                System.out.println("refused: " + refused.getMessage());
            }
        }
        System.out.println(builder.capture("echo", "still works").orThrow().text());
    }
}
