// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.Container;
import dev.caisson.ContainerBuilder;
import dev.caisson.linux.ByteUnit;
import dev.caisson.overlay.store.Removal;
import dev.caisson.spec.Mount;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Why a database's files belong in a volume: one byte written to a large file in a lower layer copies all of it first. */
@Command(
        name = "first-write",
        description = "Measure the first write to a large file in a layer, in a volume, and in memory.",
        mixinStandardHelpOptions = true)
final class FirstWriteExample implements Callable<Integer> {
    private static final String WRITE_ONE_BYTE_TWICE = """
            for i in first second; do
                before=$(date +%s%N)
                printf x | dd of=/data/db bs=1 conv=notrunc status=none
                echo $(( ($(date +%s%N) - before) / 1000 ))
            done
            """;

    @Option(names = "--size", paramLabel = "MB", description = "size of the file (default ${DEFAULT-VALUE})")
    private int size = 256;

    @Override
    public Integer call() throws Exception {
        if (size < 1) {
            throw new IllegalArgumentException("--size: " + size + " is not a positive number of MB");
        }
        Path work = Files.createTempDirectory("caisson-first-write");
        try {
            Path layer = layer(work.resolve("layer"));
            Path volume = Files.createDirectory(work.resolve("volume"));
            Files.copy(layer.resolve("data/db"), volume.resolve("db"));
            var container = Container.builder().lower(layer).bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY);

            System.out.printf(
                    "%-30s %14s %14s %14s%n", "a file of " + size + " MB", "will copy, MB", "first, us", "second, us");
            measure("in a lower layer", container);
            measure("in a volume", container.volume(volume, "/data"));
            measure("in memory (tmpfs)", container.tmpfs("/data", size + 1, ByteUnit.MB));
            return 0;
        } finally {
            Removal.here().remove(work);
        }
    }

    private Path layer(Path layer) throws IOException {
        Files.createDirectories(layer.resolve("data"));
        for (String name : List.of("bin", "lib", "lib64")) {
            Files.createSymbolicLink(layer.resolve(name), Path.of("usr", name));
        }
        byte[] megabyte = new byte[1 << 20];
        try (OutputStream file = Files.newOutputStream(layer.resolve("data/db"))) {
            for (int i = 0; i < size; i++) {
                file.write(megabyte);
            }
        }
        Files.setPosixFilePermissions(layer.getParent(), PosixFilePermissions.fromString("rwxr-xr-x"));
        return layer;
    }

    private static void measure(String where, ContainerBuilder builder) throws Exception {
        try (var container =
                builder.start("/bin/sh", "-c", "read go; [ -e /data/db ] || : > /data/db; " + WRITE_ONE_BYTE_TWICE)) {
            long predicted = container.copyUpCost("/data").copiedBytes();
            try (var stdin = container.stdin()) {
                stdin.write('\n');
            }
            String[] took = new String(container.stdout().readAllBytes(), StandardCharsets.UTF_8).split("\\s+");
            container.waitFor().orThrow();
            System.out.printf("%-30s %14d %14s %14s%n", where, predicted >> 20, took[0], took[1]);
        }
    }
}
