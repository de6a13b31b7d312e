// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Files of /proc/sys. They give their whole value to the first read and nothing to a second, so that a reader who begins
 * with a single byte, as {@link Files#readString} does, gets one digit.
 */
public final class ProcFile {
    private ProcFile() {}

    /** {@return the first line, or empty if this kernel has no such file or it may not be read} */
    public static Optional<String> line(String file) {
        try (var reader = Files.newBufferedReader(Path.of(file))) {
            String line = reader.readLine();
            return line == null ? Optional.empty() : Optional.of(line.strip());
        } catch (IOException absent) {
            return Optional.empty(); // Not every kernel has every knob.
        }
    }
}
