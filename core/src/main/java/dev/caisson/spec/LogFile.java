// SPDX-License-Identifier: Apache-2.0
package dev.caisson.spec;

import dev.caisson.linux.ByteUnit;
import dev.caisson.linux.call.HostPath;
import java.nio.file.Path;

/**
 * A log on the host that output goes to line by line, for {@link Stdio#log}. When it has reached its size it is renamed to
 * {@code NAME.1}, what had that name to {@code NAME.2} and so on, and a new one begun; a record is never split between two
 * files. Lines of more than 16 KB are split, as Docker and containerd do.
 *
 * <p>The command never waits for a reader of the log, only for the file system: nothing is lost while that takes what is
 * written. What it does not take (no space left) is left out, so that the command goes on, and counted.
 *
 * @param path of the file that is written; the directory must exist
 * @param maxBytes the size at which a new one is begun; 0: never
 * @param files how many there are at most, the one that is written included
 */
public record LogFile(Path path, Format format, long maxBytes, int files) {
    private static final int MOST_FILES = 1000;
    private static final int LONGEST_NAME = 240;

    /** How a record is written. */
    public enum Format {
        /**
         * As Docker's json-file driver: {@code {"log":"text\n","stream":"stdout","time":"..."}}. Bytes that are not UTF-8
         * become U+FFFD.
         */
        JSON,
        /**
         * As Kubernetes expects it from a runtime: {@code time stdout F text}, with P instead of F for a part of a line. Bytes
         * are kept as they are.
         */
        CRI
    }

    public LogFile {
        path = path.toAbsolutePath().normalize();
        if (path.getFileName() == null) {
            throw new IllegalArgumentException("log: " + HostPath.shown(path) + " is not the path of a file");
        }
        if (HostPath.of(path).indexOf('\0') >= 0) {
            throw new IllegalArgumentException("log: the path holds NUL");
        }
        if (HostPath.of(path.getFileName()).length() > LONGEST_NAME) {
            throw new IllegalArgumentException(
                    "log: the name of " + HostPath.shown(path) + " has more than " + LONGEST_NAME + " bytes");
        }
        if (maxBytes < 0) {
            throw new IllegalArgumentException("log: a size of " + maxBytes + " bytes is negative");
        }
        if (files < 1 || files > MOST_FILES) {
            throw new IllegalArgumentException("log: " + files + " files; 1 to " + MOST_FILES + " are possible");
        }
    }

    /** {@return a log of JSON lines of any size} */
    public static LogFile json(Path path) {
        return new LogFile(path, Format.JSON, 0, 1);
    }

    /** {@return a log of CRI text of any size} */
    public static LogFile cri(Path path) {
        return new LogFile(path, Format.CRI, 0, 1);
    }

    /**
     * {@return the same, bounded}
     *
     * @param amount the size at which a new file is begun
     * @param count how many files there are at most
     */
    public LogFile rotated(long amount, ByteUnit unit, int count) {
        return new LogFile(path, format, unit.toBytes(amount), count);
    }
}
