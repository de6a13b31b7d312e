// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.Container;
import dev.caisson.ContainerBuilder;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;

/**
 * How long the first start takes in a new JVM, and the second: one line for a script that starts many JVMs. See real.sh.
 *
 * <p>Argument: {@code processbuilder}, {@code bare}, {@code builder}, {@code sandbox}, or {@code downcall} for what the JDK itself
 * requires to make a single system call: no container can be quicker.
 */
final class FirstContainer {
    private static final String TRUE = "/bin/true";

    /** No architecture has a call of this number. */
    private static final long NO_CALL = 1_000_000;

    private FirstContainer() {}

    public static void main(String[] args) throws Exception {
        Callable<?> start = switch (args[0]) {
            case "processbuilder" -> () -> new ProcessBuilder(TRUE).start().waitFor();
            case "downcall" -> FirstContainer::downcall;
            case "bare" -> () -> run(Container.bare());
            case "builder" -> () -> run(Container.builder().lower(Path.of("/")));
            case "sandbox" -> () -> run(Container.sandbox().lower(Path.of("/")));
            default -> throw new IllegalArgumentException(args[0]);
        };
        double first = millis(start);
        System.out.printf(Locale.ROOT, "%.1f %.1f%n", first, millis(start));
    }

    private static Object downcall() throws Exception {
        var linker = Linker.nativeLinker();
        var handle = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("syscall"),
                FunctionDescriptor.of(
                        JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                Linker.Option.captureCallState("errno"));
        try (var arena = Arena.ofConfined()) {
            var errno = arena.allocate(Linker.Option.captureStateLayout());
            return (long) handle.invokeExact(errno, NO_CALL, 0L, 0L, 0L, 0L, 0L, 0L);
        } catch (Throwable impossible) {
            throw new IllegalStateException(impossible);
        }
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
