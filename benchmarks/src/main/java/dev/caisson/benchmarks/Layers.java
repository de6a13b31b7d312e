// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import dev.caisson.Container;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.FileData;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.overlay.store.Removal;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Copy-up beside cp(1) on the same file system, and commit and reset by the number of files in the upper. See layers.sh.
 *
 * <p>Arguments: {@code copy-up DIRECTORY...} or {@code store DIRECTORY}.
 */
final class Layers {
    private static final int ROUNDS = 5;

    /** So many files of a size that a round takes long enough to be measured. */
    private enum Size {
        KB_4("4 KB", 4 << 10, 500),
        MB_1("1 MB", 1 << 20, 100),
        MB_64("64 MB", 64 << 20, 4),
        GB_1("1 GB", 1 << 30, 1);

        private final String title;
        private final int bytes;
        private final int files;

        Size(String title, int bytes, int files) {
            this.title = title;
            this.bytes = bytes;
            this.files = files;
        }
    }

    private Layers() {}

    public static void main(String[] args) throws Exception {
        if (args[0].equals("store")) {
            store(Path.of(args[1]));
            return;
        }
        System.out.printf(
                "%-8s %-6s %14s %14s %8s %16s%n", "fs", "size", "copy-up, us", "cp, us", "ratio", "predict, us");
        for (int i = 1; i < args.length; i++) {
            for (var size : Size.values()) {
                copyUp(Path.of(args[i]), size);
            }
        }
    }

    private static void copyUp(Path directory, Size size) throws Exception {
        Path work = Files.createTempDirectory(directory, "caisson");
        try {
            Path lower = layer(work.resolve("lower"));
            Path data = Files.createDirectory(lower.resolve("data"));
            byte[] block = new byte[1 << 12];
            for (int i = 0; i < size.files; i++) {
                try (var out = Files.newOutputStream(data.resolve("f" + i))) {
                    for (int written = 0; written < size.bytes; written += block.length) {
                        ThreadLocalRandom.current().nextBytes(block);
                        out.write(block);
                    }
                }
            }
            var up = new ArrayList<Double>();
            var cp = new ArrayList<Double>();
            var predict = new ArrayList<Double>();
            for (int round = 0; round <= ROUNDS; round++) {
                settle(work);
                double[] copied = copyUpOnce(work, lower, size);
                settle(work);
                double plain = cpOnce(work, data, size);
                if (round > 0) { // The first warms up: this JVM, and the page cache.
                    up.add(copied[0]);
                    predict.add(copied[1]);
                    cp.add(plain);
                }
            }
            System.out.printf(
                    Locale.ROOT,
                    "%-8s %-6s %14.1f %14.1f %8.2f %16.1f%n",
                    type(directory),
                    size.title,
                    median(up),
                    median(cp),
                    median(up) / median(cp),
                    median(predict));
        } finally {
            Removal.here().remove(work);
        }
    }

    private static String type(Path directory) throws IOException {
        return Files.getFileStore(directory).type();
    }

    /** What the last round wrote must not be written to disk during the next. */
    private static void settle(Path work) throws IOException {
        try (var fd = dev.caisson.linux.sys.Files.open(work.toString(), OpenFlags.O_RDONLY, 0)) {
            FileData.syncFileSystem(fd);
        }
    }

    private static Path layer(Path layer) throws IOException {
        Files.createDirectory(layer);
        Path program = Files.write(layer.resolve("pauses"), TinyElf.pauses());
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        return layer;
    }

    /** {@return microseconds a file: opened for writing for the first time, and asked before what that costs} */
    private static double[] copyUpOnce(Path work, Path lower, Size size) throws Exception {
        Path upper = Files.createDirectory(work.resolve("upper"));
        Path own = Files.createDirectory(work.resolve("work"));
        try (var container = Container.builder().lower(lower).upper(upper, own).start("/pauses")) {
            var files = container.fs();
            long before = System.nanoTime();
            var cost = container.copyUpCost("/data/f0");
            double predicted = (System.nanoTime() - before) / 1e3;
            if (cost.bytes() != size.bytes) {
                throw new IllegalStateException(cost.toString());
            }
            before = System.nanoTime();
            for (int i = 0; i < size.files; i++) {
                FileChannel.open(files.getPath("/data/f" + i), StandardOpenOption.WRITE)
                        .close();
            }
            double each = (System.nanoTime() - before) / 1e3 / size.files;
            return new double[] {each, predicted};
        } finally {
            Removal.here().remove(upper);
            Removal.here().remove(own);
        }
    }

    private static double cpOnce(Path work, Path data, Size size) throws Exception {
        Path copy = work.resolve("copy");
        try {
            long before = System.nanoTime();
            int code = new ProcessBuilder("cp", "-a", data.toString(), copy.toString())
                    .inheritIO()
                    .start()
                    .waitFor();
            double each = (System.nanoTime() - before) / 1e3 / size.files;
            if (code != 0) {
                throw new IllegalStateException("cp ended with " + code);
            }
            return each;
        } finally {
            Removal.here().remove(copy);
        }
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }

    private static void store(Path directory) throws Exception {
        Path work = Files.createTempDirectory(directory, "caisson");
        try (var store = LayerStore.open(work.resolve("store"))) {
            Path base = layer(work.resolve("base"));
            System.out.printf(
                    "%-10s %14s %14s %14s %16s%n", "entries", "branch, us", "commit, us", "reset, us", "removal, ms");
            for (int entries : new int[] {10, 10, 1_000, 100_000}) {
                measure(store, base, entries);
            }
            var cycles = new ArrayList<Double>();
            try (var branch = store.branch(base)) {
                Path program = branch.lower().getFirst().resolve("true");
                Files.write(program, TinyElf.exitZero());
                Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
                var container = Container.builder().on(branch);
                for (int i = 0; i < 200; i++) {
                    long before = System.nanoTime();
                    var _ = container.run("/true");
                    branch.reset();
                    if (i >= 100) {
                        cycles.add((System.nanoTime() - before) / 1e3);
                    }
                }
            }
            System.out.printf(Locale.ROOT, "a container of its own and a reset after it: %.0f us%n", median(cycles));
        } finally {
            Removal.here().remove(work);
        }
    }

    private static void measure(LayerStore store, Path base, int entries) throws IOException {
        var branches = new ArrayList<Double>();
        var commits = new ArrayList<Double>();
        var resets = new ArrayList<Double>();
        var removals = new ArrayList<Double>();
        for (int round = 0; round < ROUNDS; round++) {
            long before = System.nanoTime();
            var branch = store.branch(base);
            branches.add((System.nanoTime() - before) / 1e3);
            fill(branch.upper(), entries);
            before = System.nanoTime();
            branch.reset();
            resets.add((System.nanoTime() - before) / 1e3);
            fill(branch.upper(), entries);
            before = System.nanoTime();
            var _ = branch.commit();
            commits.add((System.nanoTime() - before) / 1e3);
            before = System.nanoTime();
            var _ = store.sweep();
            removals.add((System.nanoTime() - before) / 1e6);
        }
        System.out.printf(
                Locale.ROOT,
                "%-10d %14.0f %14.0f %14.0f %16.1f%n",
                entries,
                median(branches),
                median(commits),
                median(resets),
                median(removals));
    }

    private static void fill(Path tree, int entries) throws IOException {
        for (int i = 0; i < entries; i++) {
            if (i % 100 == 0) {
                Files.createDirectory(tree.resolve("d" + i / 100));
            }
            Files.writeString(tree.resolve("d" + i / 100).resolve("f" + i), "content of file " + i);
        }
    }
}
