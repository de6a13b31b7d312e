// SPDX-License-Identifier: Apache-2.0
package dev.caisson.supervise;

import dev.caisson.spec.LogFile;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Optional;

/**
 * One record of a log.
 *
 * @param stderr whether it is of standard error
 * @param bytes with the end of the line, if it is whole
 */
public record LogRecord(Instant time, boolean stderr, byte[] bytes) {
    private static final String LOG = "{\"log\":\"";
    private static final String STREAM = "\",\"stream\":\"";
    private static final String TIME = "\",\"time\":\"";

    /** {@return what a line says; empty if it is not a record} */
    static Optional<LogRecord> parse(LogFile.Format format, byte[] line) {
        try {
            return switch (format) {
                case JSON -> json(line);
                case CRI -> cri(line);
            };
        } catch (DateTimeParseException | IndexOutOfBoundsException | NumberFormatException garbled) {
            return Optional.empty();
        }
    }

    /** As the supervisor and Docker write it: these three fields in this order. */
    private static Optional<LogRecord> json(byte[] line) {
        String text = new String(line, StandardCharsets.UTF_8);
        int end = text.lastIndexOf(STREAM);
        int time = text.lastIndexOf(TIME);
        if (!text.startsWith(LOG) || end < 0 || time < end) {
            return Optional.empty();
        }
        String stream = text.substring(end + STREAM.length(), time);
        var at = Instant.parse(text.substring(time + TIME.length(), text.indexOf('"', time + TIME.length())));
        return Optional.of(new LogRecord(
                at,
                stream.equals("stderr"),
                unescaped(text.substring(LOG.length(), end)).getBytes(StandardCharsets.UTF_8)));
    }

    private static String unescaped(String text) {
        if (text.indexOf('\\') < 0) {
            return text;
        }
        var out = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\\') {
                out.append(c);
                continue;
            }
            c = text.charAt(++i);
            switch (c) {
                case 'n' -> out.append('\n');
                case 'r' -> out.append('\r');
                case 't' -> out.append('\t');
                case 'b' -> out.append('\b');
                case 'f' -> out.append('\f');
                case 'u' -> {
                    out.append((char) Integer.parseInt(text.substring(i + 1, i + 5), 16));
                    i += 4;
                }
                default -> out.append(c);
            }
        }
        return out.toString();
    }

    private static Optional<LogRecord> cri(byte[] line) {
        int first = indexOf(line, 0);
        int second = indexOf(line, first + 1);
        int third = indexOf(line, second + 1);
        var bytes = new ByteArrayOutputStream(line.length);
        bytes.write(line, third + 1, line.length - third - 1);
        if (line[second + 1] == 'F') {
            bytes.write('\n');
        }
        return Optional.of(new LogRecord(
                Instant.parse(new String(line, 0, first, StandardCharsets.US_ASCII)),
                new String(line, first + 1, second - first - 1, StandardCharsets.US_ASCII).equals("stderr"),
                bytes.toByteArray()));
    }

    private static int indexOf(byte[] line, int from) {
        for (int i = from; i < line.length; i++) {
            if (line[i] == ' ') {
                return i;
            }
        }
        throw new IndexOutOfBoundsException(from);
    }
}
