// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.call;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.util.Collection;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * Paths of the host as strings for the kernel, without loss. A {@link Path} keeps the bytes of its names, but its {@link
 * Path#toString} decodes them by the encoding that the JVM was started with: under {@code LC_ALL=C} all that is not ASCII
 * becomes U+FFFD, under UTF-8 all that is not UTF-8, and the string names another file. Its {@link Path#toUri} has every byte.
 */
public final class HostPath {
    /** Nothing lies below it: toUri asks the kernel whether a path is a directory, and this one is none in no time. */
    private static final Path NOWHERE = Path.of("/dev/null");

    private static final int PREFIX = "/dev/null".length();

    private HostPath() {}

    /**
     * {@return a path as {@link FileNames} has its bytes; relative if the path is}
     *
     * @throws ProviderMismatchException if it is not a path of the host, such as one of a container's {@code fs()}
     */
    public static String of(Path path) {
        if (!path.getFileSystem().equals(FileSystems.getDefault())) {
            throw new ProviderMismatchException(path + " is a path of another file system, not of the host's");
        }
        String text = path.toString();
        // ASCII means itself in every encoding that Linux has locales of.
        return isAscii(text) ? text : FileNames.decode(bytes(path));
    }

    /**
     * {@return a path for people to read, in a message or a plan} What of it is not UTF-8, and what would control a terminal, is
     * shown byte by byte as {@code \\xNN}. It need not be a path of the host, nor be any, as the parent of a root is none.
     */
    public static String shown(@Nullable Path path) {
        if (path == null) {
            return "(no path)";
        }
        return path.getFileSystem().equals(FileSystems.getDefault()) ? shown(of(path)) : path.toString();
    }

    /** {@return the same of several paths} */
    public static String shown(Collection<Path> paths) {
        var all = new StringJoiner(", ", "[", "]");
        for (Path path : paths) {
            all.add(shown(path));
        }
        return all.toString();
    }

    private static String shown(String text) {
        StringBuilder shown = new StringBuilder(text.length());
        int c;
        for (int i = 0; i < text.length(); i += Character.charCount(c)) {
            c = text.codePointAt(i);
            if (isHidden(c)) {
                shown.append("\\x")
                        .append(Character.forDigit(c >> 4 & 0xf, 16))
                        .append(Character.forDigit(c & 0xf, 16));
            } else {
                shown.appendCodePoint(c);
            }
        }
        return shown.toString();
    }

    /** {@return whether it controls, or stands for a byte as {@link FileNames} has it} */
    private static boolean isHidden(int c) {
        return Character.isISOControl(c) || c >= 0xdc80 && c <= 0xdcff;
    }

    /** {@return the path of a string that {@link #of} made, or that was made of it by adding names} */
    public static Path path(String text) {
        if (isAscii(text)) {
            return Path.of(text);
        }
        var uri = new StringBuilder("file://");
        for (String name : text.split("/")) {
            if (!name.isEmpty()) {
                uri.append('/');
                for (byte b : FileNames.encode(name)) {
                    uri.append(String.format("%%%02X", b & 0xff));
                }
            }
        }
        var absolute = Path.of(URI.create(uri.toString()));
        return text.startsWith("/") ? absolute : absolute.subpath(0, absolute.getNameCount());
    }

    private static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }

    private static byte[] bytes(Path path) {
        var relative = path.subpath(0, path.getNameCount());
        String escaped = NOWHERE.resolve(relative).toUri().getRawPath();
        var bytes = new ByteArrayOutputStream(escaped.length());
        int at = PREFIX + (path.isAbsolute() ? 0 : 1);
        while (at < escaped.length()) {
            char c = escaped.charAt(at);
            boolean hex = c == '%';
            bytes.write(hex ? Integer.parseInt(escaped, at + 1, at + 3, 16) : c);
            at += hex ? 3 : 1;
        }
        return bytes.toByteArray();
    }
}
