// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import java.nio.file.PathMatcher;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** The {@code glob:} and {@code regex:} patterns of {@link java.nio.file.FileSystem#getPathMatcher}. */
final class Globs {
    private static final String META = "\\^$.|?*+()[]{}";

    private Globs() {}

    static PathMatcher matcher(String syntaxAndPattern) {
        int colon = syntaxAndPattern.indexOf(':');
        if (colon <= 0) {
            throw new IllegalArgumentException("\"" + syntaxAndPattern + "\" is not glob:PATTERN or regex:PATTERN");
        }
        String pattern = syntaxAndPattern.substring(colon + 1);
        // DOTALL: a name may hold newlines.
        var compiled = switch (syntaxAndPattern.substring(0, colon).toLowerCase(Locale.ROOT)) {
            case "glob" -> Pattern.compile(regex(pattern), Pattern.DOTALL);
            case "regex" -> Pattern.compile(pattern);
            default -> throw new UnsupportedOperationException("syntax of \"" + syntaxAndPattern + "\"");
        };
        return path -> compiled.matcher(path.toString()).matches();
    }

    static String regex(String glob) {
        var out = new StringBuilder();
        boolean inGroup = false;
        for (int i = 0; i < glob.length(); i++) {
            char c = glob.charAt(i);
            switch (c) {
                case '*' -> {
                    boolean deep = i + 1 < glob.length() && glob.charAt(i + 1) == '*';
                    out.append(deep ? ".*" : "[^/]*");
                    i += deep ? 1 : 0;
                }
                case '?' -> out.append("[^/]");
                case '\\' -> {
                    if (++i == glob.length()) {
                        throw new PatternSyntaxException("nothing is escaped", glob, i - 1);
                    }
                    literal(out, glob.charAt(i));
                }
                case '[' -> i = bracket(glob, i, out);
                case '{' -> {
                    if (inGroup) {
                        throw new PatternSyntaxException("groups cannot be nested", glob, i);
                    }
                    inGroup = true;
                    out.append("(?:(?:");
                }
                case '}' -> {
                    out.append(inGroup ? "))" : "\\}");
                    inGroup = false;
                }
                case ',' -> out.append(inGroup ? ")|(?:" : ",");
                default -> literal(out, c);
            }
        }
        if (inGroup) {
            throw new PatternSyntaxException("missing '}'", glob, glob.length() - 1);
        }
        return out.toString();
    }

    private static void literal(StringBuilder out, char c) {
        out.append(META.indexOf(c) >= 0 ? "\\" : "").append(c);
    }

    /** Translates {@code [a-z]} and {@code [!a-z]}; {@return the index of the closing bracket} */
    private static int bracket(String glob, int open, StringBuilder out) {
        int i = open + 1;
        out.append("[[^/]&&[");
        if (i < glob.length() && glob.charAt(i) == '!') {
            out.append('^');
            i++;
        }
        int first = i;
        for (; i < glob.length() && (glob.charAt(i) != ']' || i == first); i++) {
            char c = glob.charAt(i);
            if (c == '/') {
                throw new PatternSyntaxException("'/' in a bracket", glob, i);
            }
            boolean range = c == '-' && i > first && i + 1 < glob.length() && glob.charAt(i + 1) != ']';
            out.append(!range && "\\[]&^-".indexOf(c) >= 0 ? "\\" : "").append(c);
        }
        if (i == glob.length()) {
            throw new PatternSyntaxException("missing ']'", glob, open);
        }
        out.append("]]");
        return i;
    }
}
