// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import dev.caisson.linux.sys.Directory;
import dev.caisson.overlay.Overlay;
import dev.caisson.overlay.mark.Mark;
import dev.caisson.overlay.mark.MarkWriter;
import dev.caisson.overlay.mark.XattrNamespace;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Mounting many layers beside mount(8) and C, and listing the changes of a large upper beside find(1). All take turns in one
 * run; what is printed are medians in microseconds.
 */
final class OverlayTimes {
    private static final int ROUNDS = 21;

    /** So many mounts until the JVM has compiled what is on the way. */
    private static final int WARM_UP = 1000;

    /** The same calls as the library makes: layers by descriptor, and a detached mount. */
    private static final String C = """
            #define _GNU_SOURCE
            #include <fcntl.h>
            #include <stdio.h>
            #include <stdlib.h>
            #include <sys/syscall.h>
            #include <time.h>
            #include <unistd.h>
            static int open_or_die(const char *path) {
                int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (fd < 0) { perror(path); exit(1); }
                return fd;
            }
            int main(int argc, char **argv) {
                int layers = atoi(argv[2]), fds[502];
                char path[4096];
                struct timespec a, b;
                clock_gettime(CLOCK_MONOTONIC, &a);
                int context = syscall(SYS_fsopen, "overlay", 1);
                for (int i = 0; i < layers; i++) {
                    snprintf(path, sizeof path, "%s/l%d", argv[1], i);
                    fds[i] = open_or_die(path);
                    if (syscall(SYS_fsconfig, context, 5, "lowerdir+", 0, fds[i])) { perror("lowerdir+"); return 1; }
                }
                snprintf(path, sizeof path, "%s/upper", argv[1]);
                fds[layers] = open_or_die(path);
                if (syscall(SYS_fsconfig, context, 5, "upperdir", 0, fds[layers])) { perror("upperdir"); return 1; }
                snprintf(path, sizeof path, "%s/upper.work", argv[1]);
                fds[layers + 1] = open_or_die(path);
                if (syscall(SYS_fsconfig, context, 5, "workdir", 0, fds[layers + 1])) { perror("workdir"); return 1; }
                if (syscall(SYS_fsconfig, context, 6, 0, 0, 0)) { perror("create"); return 1; }
                int mount = syscall(SYS_fsmount, context, 1, 6);
                if (mount < 0) { perror("fsmount"); return 1; }
                for (int i = 0; i < layers + 2; i++) close(fds[i]);
                close(context);
                close(mount);
                clock_gettime(CLOCK_MONOTONIC, &b);
                printf("%ld\\n", (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000);
                return 0;
            }
            """;

    private final Path directory;

    private OverlayTimes(Path directory) {
        this.directory = directory;
    }

    public static void main(String[] args) throws Exception {
        Path directory = Files.createTempDirectory(Path.of(args.length > 0 ? args[0] : "/var/tmp"), "caisson-bench");
        try {
            var times = new OverlayTimes(directory);
            times.mounts();
            times.changes();
        } finally {
            try (var all = Files.walk(directory)) {
                for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
    }

    private void mounts() throws Exception {
        Path source = Files.writeString(directory.resolve("mount.c"), C);
        Path program = directory.resolve("mount");
        run(List.of("gcc", "-O2", "-o", program.toString(), source.toString()));
        for (int i = 0; i < 500; i++) {
            Files.createDirectory(directory.resolve("l" + i));
        }
        var one = Overlay.of(directory.resolve("l0")).withUpper(directory.resolve("upper"));
        for (int i = 0; i < WARM_UP; i++) {
            one.mount().close();
        }
        System.out.println("layers  library  C  mount(8) in a namespace of its own");
        for (int layers : List.of(1, 10, 127, 500)) {
            var overlay = Overlay.of(IntStream.range(0, layers)
                            .mapToObj(i -> directory.resolve("l" + i))
                            .toArray(Path[]::new))
                    .withUpper(directory.resolve("upper"));
            var ours = new ArrayList<Long>();
            var c = new ArrayList<Long>();
            var tool = new ArrayList<Long>();
            String options = "lowerdir="
                    + IntStream.range(0, layers).mapToObj(i -> "l" + i).collect(Collectors.joining(":"))
                    + ",upperdir=upper,workdir=upper.work";
            boolean toolWorks = true;
            for (int i = 0; i < ROUNDS * 5; i++) {
                long start = System.nanoTime();
                overlay.mount().close();
                ours.add((System.nanoTime() - start) / 1000);
                c.add(Long.parseLong(run(List.of(program.toString(), directory.toString(), "" + layers))
                        .strip()));
                if (toolWorks && i % 5 == 0) {
                    start = System.nanoTime();
                    try {
                        run(List.of("unshare", "-m", "mount", "-t", "overlay", "overlay", "-o", options, "/mnt"));
                        tool.add((System.nanoTime() - start) / 1000);
                    } catch (IOException refused) {
                        toolWorks = false;
                    }
                }
            }
            System.out.println(layers + "  " + median(ours.subList(ROUNDS, ours.size())) + "  " + median(c) + "  "
                    + (toolWorks ? median(tool) : "refused"));
        }
    }

    private void changes() throws Exception {
        Path lower = Files.createDirectory(directory.resolve("lower"));
        Path upper = Files.createDirectory(directory.resolve("changed"));
        var marks = new MarkWriter(XattrNamespace.TRUSTED);
        for (int d = 0; d < 300; d++) {
            Path below = Files.createDirectory(lower.resolve("old" + d));
            Path above = Files.createDirectory(upper.resolve("old" + d));
            try (var open = Directory.open(above.toString())) {
                for (int f = 0; f < 100; f++) {
                    Files.writeString(below.resolve("file" + f), "before");
                    if (d < 200) {
                        Files.writeString(above.resolve("file" + f), "after it");
                    } else {
                        marks.whiteout(open, "file" + f, Mark.Encoding.DEVICE);
                    }
                }
            }
        }
        for (int d = 0; d < 700; d++) {
            Path above = Files.createDirectory(upper.resolve("new" + d));
            for (int f = 0; f < 99; f++) {
                Files.writeString(above.resolve("file" + f), "new");
            }
        }
        var overlay = Overlay.of(lower).withUpper(upper);
        var ours = new ArrayList<Long>();
        var names = new ArrayList<Long>();
        var stats = new ArrayList<Long>();
        long count = 0;
        for (int i = 0; i < ROUNDS; i++) {
            long start = System.nanoTime();
            try (var stream = overlay.changes()) {
                count = stream.count();
            }
            ours.add((System.nanoTime() - start) / 1000);
            start = System.nanoTime();
            run(List.of("find", upper.toString()));
            names.add((System.nanoTime() - start) / 1000);
            start = System.nanoTime();
            run(List.of("find", upper.toString(), "-printf", "%y %n %s %p\\n"));
            stats.add((System.nanoTime() - start) / 1000);
        }
        System.out.println(count + " changes: " + median(ours.subList(5, ROUNDS)) + "  find, names alone: "
                + median(names) + "  find, with type, links and size: " + median(stats));
    }

    private String run(List<String> command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectError(Redirect.DISCARD)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(command.get(0) + " failed");
        }
        return said;
    }

    private static long median(List<Long> times) {
        long[] sorted = times.stream().mapToLong(Long::longValue).toArray();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
