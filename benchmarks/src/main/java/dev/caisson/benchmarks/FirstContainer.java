// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import dev.caisson.Container;
import dev.caisson.ContainerBuilder;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;

/**
 * How long the first start takes in a new JVM, and the second: one line for a script that starts many JVMs. See real.sh.
 *
 * <p>Argument: {@code processbuilder}, {@code bare}, {@code builder} or {@code sandbox}.
 */
final class FirstContainer {
    private static final String TRUE = "/bin/true";

    private FirstContainer() {}

    public static void main(String[] args) throws Exception {
        Callable<?> start = switch (args[0]) {
            case "processbuilder" -> () -> new ProcessBuilder(TRUE).start().waitFor();
            case "bare" -> () -> run(Container.bare());
            case "builder" -> () -> run(Container.builder().lower(Path.of("/")));
            case "sandbox" -> () -> run(Container.sandbox().lower(Path.of("/")));
            default -> throw new IllegalArgumentException(args[0]);
        };
        double first = millis(start);
        System.out.printf(Locale.ROOT, "%.1f %.1f%n", first, millis(start));
    }

    private static Object run(ContainerBuilder builder) throws Exception {
        return builder.run(TRUE).orThrow();
    }

    private static double millis(Callable<?> start) throws Exception {
        long before = System.nanoTime();
        var _ = start.call();
        return (System.nanoTime() - before) / 1e6;
    }
}
