// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
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
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Start to exit of a shell that does nothing, as a Java caller sees it. For C and other tools see compare.sh. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 3, time = 3)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class LaunchBenchmark {
    /** What is launched. */
    @Param({"NO_NAMESPACES", "PID_MNT_IPC_UTS", "PLUS_NET", "PLUS_USER", "CONTAINER", "CONTAINER_NET"})
    public String variant = "";

    private Path layer = Path.of("");

    /** Makes a layer with a static program of five instructions: exit(0). */
    @Setup
    public void makeLayer() throws IOException {
        layer = Files.createTempDirectory("caisson-layer");
        Path program = layer.resolve("true");
        Files.write(program, TinyElf.exitZero());
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(layer, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** Removes it. */
    @TearDown
    public void removeLayer() throws IOException {
        Files.delete(layer.resolve("true"));
        Files.delete(layer);
    }

    /** A container of this library. */
    @Benchmark
    public Object container() throws Exception {
        var chosen = Variant.valueOf(variant);
        String program = variant.startsWith("CONTAINER")
                ? "/true"
                : layer.resolve("true").toString();
        return chosen.builder(layer).run(program);
    }

    /** A bare process of the JDK, whatever the variant: the yardstick. */
    @Benchmark
    public int processBuilder() throws Exception {
        return new ProcessBuilder(layer.resolve("true").toString())
                .redirectOutput(Redirect.DISCARD)
                .redirectError(Redirect.DISCARD)
                .start()
                .waitFor();
    }
}
