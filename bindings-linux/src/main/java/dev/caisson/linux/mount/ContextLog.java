// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.mount;

import java.util.stream.Collectors;

/**
 * What a file system has to say beyond an errno. Its context (fsopen(2)) keeps some lines, of which read(2) takes one at a time;
 * each begins with the letter of its severity.
 */
public final class ContextLog {
    /** The kernel keeps this many lines. */
    public static final int LINES = 8;

    /** Bytes that are enough for a line. */
    public static final int LINE = 1024;

    private ContextLog() {}

    /**
     * {@return the lines as one text, each once, without severities}
     *
     * @param lines as they were read, one after the other
     */
    public static String text(String lines) {
        return lines.lines()
                .map(line -> line.length() > 2 && line.charAt(1) == ' ' ? line.substring(2) : line)
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .distinct()
                .collect(Collectors.joining("; "));
    }
}
