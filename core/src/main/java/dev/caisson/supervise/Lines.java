// SPDX-License-Identifier: Apache-2.0
package dev.caisson.supervise;

import dev.caisson.linux.call.FileNames;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Text of lines that each have a name, a space and a value; a backslash and an end of line in a value are written as {@code \\}
 * and {@code \n}. The first line names the kind of text and its version. Names may come again; unknown ones are skipped.
 */
record Lines(Map<String, List<String>> values) {
    /** {@return empty lines of a kind} */
    static Lines of(String kind, int version) {
        var lines = new Lines(new LinkedHashMap<>());
        return lines.with(kind, Integer.toString(version));
    }

    /** {@return what text says; empty if it is not of the kind, or of a version that is not known} */
    static Optional<Lines> parse(byte[] text, String kind, int version) {
        var values = new LinkedHashMap<String, List<String>>();
        boolean first = true;
        for (String line : FileNames.decode(text).split("\n")) {
            int space = line.indexOf(' ');
            if (space < 0 || first && !line.equals(kind + " " + version)) {
                return Optional.empty();
            }
            first = false;
            values.computeIfAbsent(line.substring(0, space), _ -> new ArrayList<>())
                    .add(unescaped(line.substring(space + 1)));
        }
        return Optional.of(new Lines(values));
    }

    private static String unescaped(String value) {
        var out = new StringBuilder();
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '\\' && i + 1 < value.length()) {
                c = value.charAt(++i) == 'n' ? '\n' : value.charAt(i);
            }
            out.append(c);
        }
        return out.toString();
    }

    Lines with(String name, String value) {
        values.computeIfAbsent(name, _ -> new ArrayList<>()).add(value);
        return this;
    }

    List<String> all(String name) {
        return values.getOrDefault(name, List.of());
    }

    Optional<String> find(String name) {
        return all(name).stream().findFirst();
    }

    /** {@return a number; 0 if there is none} */
    long number(String name) {
        try {
            return find(name).map(Long::parseLong).orElse(0L);
        } catch (NumberFormatException garbled) {
            return 0;
        }
    }

    byte[] encode() {
        var out = new StringBuilder();
        values.forEach((name, all) -> all.forEach(value -> out.append(name)
                .append(' ')
                .append(value.replace("\\", "\\\\").replace("\n", "\\n"))
                .append('\n')));
        return FileNames.encode(out.toString());
    }
}
