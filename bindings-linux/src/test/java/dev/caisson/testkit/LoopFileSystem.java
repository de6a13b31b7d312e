// SPDX-License-Identifier: Apache-2.0
package dev.caisson.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A small file system of its own, in a file, for tests of what a full disk, a read-only one or another kind does. */
public final class LoopFileSystem implements AutoCloseable {
    private final Path place;

    private LoopFileSystem(Path place) {
        this.place = place;
    }

    /**
     * Makes and mounts one below a directory; the test is skipped where the machine cannot.
     *
     * @param kind such as ext4, xfs, btrfs; {@code tmpfs} and {@code ramfs} need no file
     */
    public static LoopFileSystem make(Path directory, String kind, int megabytes, String... options)
            throws IOException, InterruptedException {
        Path place = Files.createDirectory(directory.resolve("mnt-" + kind));
        var mount = new ArrayList<>(List.of("mount", "-t", kind));
        if (kind.equals("tmpfs") || kind.equals("ramfs")) {
            mount.addAll(List.of("-o", "size=" + megabytes + "m", kind));
        } else {
            Path image = directory.resolve(kind + ".img");
            try (var file = Files.newByteChannel(
                    image, java.nio.file.StandardOpenOption.CREATE, java.nio.file.StandardOpenOption.WRITE)) {
                file.position(((long) megabytes << 20) - 1);
                file.write(java.nio.ByteBuffer.allocate(1));
            }
            var make = new ArrayList<>(List.of("mkfs." + kind, "-q"));
            make.addAll(List.of(options));
            make.add(image.toString());
            need(make);
            mount.addAll(List.of("-o", "loop", image.toString()));
        }
        mount.add(place.toString());
        need(mount);
        return new LoopFileSystem(place);
    }

    private static void need(List<String> command) throws IOException, InterruptedException {
        String said;
        int code;
        try {
            var process = new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            code = process.waitFor(30, TimeUnit.SECONDS) ? process.exitValue() : -1;
        } catch (IOException notInstalled) {
            said = notInstalled.getMessage();
            code = -1;
        }
        String reason = "needs " + String.join(" ", command) + ": " + said;
        Need.LOOP_FILE_SYSTEM.orSkip(code == 0, reason);
    }

    /** {@return where it is mounted} */
    public Path root() {
        return place;
    }

    /** Makes it read-only. */
    public void freeze() throws IOException, InterruptedException {
        need(List.of("mount", "-o", "remount,ro", place.toString()));
    }

    /** Takes all its space; for root too. */
    public void fill() throws IOException {
        try (var file = Files.newOutputStream(place.resolve("filler"))) {
            byte[] some = new byte[1 << 16];
            while (true) {
                file.write(some);
            }
        } catch (IOException full) {
            // As it should be; what is smaller fits no more after this.
        }
        try (var file = Files.newOutputStream(place.resolve("filler2"))) {
            while (true) {
                file.write(new byte[512]);
            }
        } catch (IOException full) {
            return;
        }
    }

    @Override
    public void close() throws IOException {
        try {
            need(List.of("umount", place.toString()));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
