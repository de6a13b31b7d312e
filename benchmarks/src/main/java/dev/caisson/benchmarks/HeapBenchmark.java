// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import dev.caisson.ContainerBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A launch from a small heap and from a large one, every page of it in memory: fork(2) would copy its page tables. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 4, time = 3)
public class HeapBenchmark {
    private static final String NATIVE = "--enable-native-access=ALL-UNNAMED";

    private Path directory = Path.of("");
    private ContainerBuilder builder = Variant.PID_MNT_IPC_UTS.builder(directory);
    private String program = "";

    /** Makes a static program of five instructions: exit(0). */
    @Setup
    public void makeProgram() throws IOException {
        directory = Files.createTempDirectory("caisson-heap");
        Path file = directory.resolve("true");
        Files.write(file, TinyElf.exitZero());
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        program = file.toString();
        builder = Variant.PID_MNT_IPC_UTS.builder(directory);
    }

    /** Removes it. */
    @TearDown
    public void removeProgram() throws IOException {
        Files.delete(directory.resolve("true"));
        Files.delete(directory);
    }

    /** With 256 MB. */
    @Benchmark
    @Fork(
            value = 3,
            jvmArgsAppend = {NATIVE, "-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch"})
    public Object heapOf256Megabytes() throws Exception {
        return builder.run(program);
    }

    /** With 8 GB. */
    @Benchmark
    @Fork(
            value = 3,
            jvmArgsAppend = {NATIVE, "-Xms8g", "-Xmx8g", "-XX:+AlwaysPreTouch"})
    public Object heapOf8Gigabytes() throws Exception {
        return builder.run(program);
    }
}
