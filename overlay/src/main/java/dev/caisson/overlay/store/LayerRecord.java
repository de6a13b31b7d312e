// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.store;

import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.call.HostPath;
import java.io.IOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is written beside a tree: one {@code key value} a line.
 *
 * @param parent the id of the layer below, in the same store
 * @param outside the directories below that are not in the store, topmost first
 * @param boot since which start of the machine the tree may be in its memory only; empty: it is on disk
 */
record LayerRecord(Optional<String> parent, List<Path> outside, Optional<String> boot) {
    LayerRecord {
        outside = List.copyOf(outside);
    }

    /** {@return a record of a tree that was just made} */
    static LayerRecord fresh(Optional<String> parent, List<Path> outside) throws IOException {
        return new LayerRecord(parent, outside, Optional.of(thisBoot()));
    }

    /** {@return this, of a tree that is on disk} */
    LayerRecord synced() {
        return new LayerRecord(parent, outside, Optional.empty());
    }

    /** {@return whether the machine went down before the tree was known to be on disk} */
    boolean isDoubtful() throws IOException {
        return boot.isPresent() && !boot.get().equals(thisBoot());
    }

    private static String thisBoot() throws IOException {
        return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
    }

    /** {@return the text of the file} */
    String text() {
        var out = new StringBuilder();
        parent.ifPresent(id -> out.append("parent ").append(id).append('\n'));
        outside.forEach(path -> out.append("outside ").append(escaped(path)).append('\n'));
        boot.ifPresent(id -> out.append("boot ").append(id).append('\n'));
        return out.append("end\n").toString();
    }

    /** {@return the record in a file; empty if there is none, or it is not whole} */
    static Optional<LayerRecord> read(Path file) throws IOException {
        try {
            return parse(Files.readString(file));
        } catch (NoSuchFileException missing) {
            return Optional.empty();
        }
    }

    /** Each byte that is not plain stands as its number, whatever encoding it is of. */
    private static String escaped(Path path) {
        String bytes = new String(FileNames.encode(HostPath.of(path)), StandardCharsets.ISO_8859_1);
        return URLEncoder.encode(bytes, StandardCharsets.ISO_8859_1);
    }

    private static Path unescaped(String value) {
        String bytes = URLDecoder.decode(value, StandardCharsets.ISO_8859_1);
        return HostPath.path(FileNames.decode(bytes.getBytes(StandardCharsets.ISO_8859_1)));
    }

    static Optional<LayerRecord> parse(String text) {
        Optional<String> parent = Optional.empty();
        Optional<String> boot = Optional.empty();
        var outside = new ArrayList<Path>();
        for (String line : text.split("\n")) {
            int space = line.indexOf(' ');
            String value = line.substring(space + 1);
            switch (space < 0 ? line : line.substring(0, space)) {
                case "parent" -> parent = Optional.of(value);
                case "boot" -> boot = Optional.of(value);
                case "outside" -> outside.add(unescaped(value));
                case "end" -> {
                    return Optional.of(new LayerRecord(parent, outside, boot));
                }
                default -> {
                    return Optional.empty();
                }
            }
        }
        return Optional.empty();
    }
}
