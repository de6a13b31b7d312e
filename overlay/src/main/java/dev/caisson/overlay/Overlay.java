// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Read-only layers merged under a writable one (Documentation/filesystems/overlayfs.rst). Immutable.
 *
 * @param lower the topmost layer first, 1 to 500
 * @param upper where changes stay; empty: in memory, and gone with the mount
 * @param size the most bytes an upper in memory takes; empty: half of the host's memory
 */
public record Overlay(List<Path> lower, Optional<Upper> upper, OptionalLong size) {
    private static final int MOST_LAYERS = 500;

    /**
     * A writable layer on disk.
     *
     * @param directory holds the changes
     * @param work an empty directory on the same file system, for the kernel's own use
     */
    public record Upper(Path directory, Path work) {
        public Upper {
            directory = directory.toAbsolutePath().normalize();
            work = work.toAbsolutePath().normalize();
            if (directory.startsWith(work) || work.startsWith(directory)) {
                throw new IllegalArgumentException(
                        "upper: " + directory + " and its work directory " + work + " must not lie in one another");
            }
        }
    }

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if there are too few or too many layers, or directories overlap
     */
    public Overlay {
        lower = lower.stream().map(p -> p.toAbsolutePath().normalize()).toList();
        if (lower.isEmpty() || lower.size() > MOST_LAYERS) {
            throw new IllegalArgumentException(
                    "lower: " + lower.size() + " layers; overlayfs takes 1 to " + MOST_LAYERS);
        }
        if (new HashSet<>(lower).size() < lower.size()) {
            throw new IllegalArgumentException("lower: a layer appears twice in " + lower);
        }
        for (Path layer : lower) {
            if (upper.isPresent() && layer.startsWith(upper.get().directory())) {
                throw new IllegalArgumentException("upper: " + upper.get().directory() + " holds the layer " + layer
                        + ", whose files it would change");
            }
        }
        if (size.isPresent() && (size.getAsLong() <= 0 || upper.isPresent())) {
            throw new IllegalArgumentException("upper: a size of " + size.getAsLong()
                    + " bytes must be positive and is for an upper in memory only");
        }
    }

    /** {@return this with another writable layer} */
    public Overlay withUpper(Upper upper) {
        return new Overlay(lower, Optional.of(upper), OptionalLong.empty());
    }

    /** {@return a path as the string form of overlayfs options wants it: separators escaped} */
    public static String escape(Path path) {
        return path.toString().replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,");
    }
}
