// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/** Does to a tree what programs do, by chance. Few names, so that they meet again. */
final class RandomTree {
    private static final List<String> NAMES = List.of("a", "b", "c\n", "d:e", "é");

    private final Path root;
    private final Random random;

    RandomTree(Path root, long seed) {
        this.root = root;
        this.random = new Random(seed);
    }

    /** {@return layers by chance, topmost first, each written through an overlay of those below it} */
    static List<Path> layers(Path directory, OverlayOptions options, long seed, int layers, int steps)
            throws IOException {
        var lower = new ArrayList<Path>();
        Path bottom = Files.createDirectory(directory.resolve("bottom"));
        new RandomTree(bottom, seed).change(steps + 10);
        lower.add(bottom);
        for (int i = 1; i < layers; i++) {
            Path upper = directory.resolve("layer" + i);
            var overlay = Overlay.of(lower.toArray(Path[]::new)).withOptions(options);
            try (var mount = overlay.withUpper(upper).mount()) {
                new RandomTree(mount.path(), seed + i).change(steps);
            }
            lower.add(0, upper);
        }
        return lower;
    }

    void change(int steps) throws IOException {
        for (int i = 0; i < steps; i++) {
            try {
                step();
            } catch (FileAlreadyExistsException | DirectoryNotEmptyException met) {
                // The dice named the same place twice.
            } catch (FileSystemException refused) {
                String reason = String.valueOf(refused.getReason());
                boolean expected = reason.contains("cross-device")
                        || reason.contains("Invalid argument")
                        || reason.contains("Not a directory")
                        || reason.contains("Is a directory")
                        || reason.contains("not empty");
                if (!expected) {
                    throw refused;
                }
            }
        }
    }

    private void step() throws IOException {
        Path fresh = some(directories()).resolve(some(NAMES));
        var files = paths().stream()
                .filter(Files::isRegularFile)
                .filter(p -> !Files.isSymbolicLink(p))
                .toList();
        var all = paths();
        switch (random.nextInt(14)) {
            case 0, 1 -> Files.createDirectory(fresh);
            case 2, 3 -> Files.writeString(fresh, "new" + random.nextInt(100), StandardOpenOption.CREATE_NEW);
            case 4 -> Files.createSymbolicLink(fresh, Path.of(some(NAMES)));
            case 5 -> {
                if (!files.isEmpty()) {
                    Files.writeString(some(files), "more", StandardOpenOption.APPEND);
                }
            }
            case 6 -> {
                if (!all.isEmpty()) {
                    delete(some(all));
                }
            }
            case 7 -> {
                if (!all.isEmpty()) {
                    Files.move(some(all), fresh, StandardCopyOption.ATOMIC_MOVE);
                }
            }
            case 8 -> {
                if (!files.isEmpty()) {
                    Files.createLink(fresh, some(files));
                }
            }
            case 9 -> {
                var real = all.stream().filter(p -> !Files.isSymbolicLink(p)).toList();
                if (!real.isEmpty()) {
                    Files.setPosixFilePermissions(
                            some(real),
                            PosixFilePermissions.fromString(random.nextBoolean() ? "rwxr-x---" : "rwxrwxrwx"));
                }
            }
            case 10 -> {
                if (!all.isEmpty()) {
                    Files.setAttribute(some(all), "unix:uid", random.nextInt(3), LinkOption.NOFOLLOW_LINKS);
                }
            }
            case 11 -> {
                var real = all.stream().filter(p -> !Files.isSymbolicLink(p)).toList();
                if (!real.isEmpty()) {
                    Files.getFileAttributeView(some(real), UserDefinedFileAttributeView.class)
                            .write(
                                    "x" + random.nextInt(2),
                                    ByteBuffer.wrap(
                                            "v".repeat(random.nextInt(3)).getBytes(UTF_8)));
                }
            }
            case 12 -> {
                // Opened for writing and not written; or written, with the old time given back.
                if (!files.isEmpty()) {
                    Path file = some(files);
                    FileTime time = Files.getLastModifiedTime(file);
                    try (var channel = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
                        if (random.nextBoolean() && channel.size() > 0) {
                            channel.write(ByteBuffer.wrap(new byte[] {'Z'}));
                        }
                    }
                    Files.setLastModifiedTime(file, time);
                }
            }
            default -> {
                // Replace a directory by an empty one: an opaque directory.
                var inner = directories();
                inner.remove(root);
                if (!inner.isEmpty()) {
                    Path directory = some(inner);
                    delete(directory);
                    Files.createDirectory(directory);
                }
            }
        }
    }

    private <T> T some(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private List<Path> paths() throws IOException {
        try (var walk = Files.walk(root)) {
            return walk.filter(p -> !p.equals(root)).sorted().toList();
        }
    }

    private List<Path> directories() throws IOException {
        var all = new ArrayList<Path>();
        all.add(root);
        for (Path path : paths()) {
            if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                all.add(path);
            }
        }
        return all;
    }

    static void delete(Path tree) throws IOException {
        try (var walk = Files.walk(tree)) {
            for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
