// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.call;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;

/**
 * File names as strings, without loss. To the kernel a name is bytes; most are UTF-8, and any may not be. A byte {@code b}
 * that is not part of valid UTF-8 becomes the lone surrogate {@code U+DC00 + b}, which no valid UTF-8 decodes to (the
 * convention of PEP 383), and becomes that byte again.
 */
public final class FileNames {
    private static final char ESCAPE = '\udc00';
    private static final char FIRST_ESCAPED = '\udc80';
    private static final char LAST_ESCAPED = '\udcff';

    private FileNames() {}

    /** {@return the string for a name's bytes} */
    public static String decode(byte[] name) {
        for (byte b : name) {
            if (b < 0) {
                return decodeUtf8(name);
            }
        }
        return new String(name, StandardCharsets.US_ASCII);
    }

    private static String decodeUtf8(byte[] name) {
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        var in = ByteBuffer.wrap(name);
        var out = CharBuffer.allocate(name.length);
        while (true) {
            CoderResult result = decoder.decode(in, out, true);
            if (result.isUnderflow()) {
                return out.flip().toString();
            }
            for (int i = 0; i < result.length(); i++) {
                out.put((char) (ESCAPE + (in.get() & 0xff)));
            }
            decoder.reset();
        }
    }

    /** {@return the bytes of a name that {@link #decode} made, or of any other string in UTF-8} */
    public static byte[] encode(String name) {
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c >= FIRST_ESCAPED && c <= LAST_ESCAPED && (i == 0 || !Character.isHighSurrogate(name.charAt(i - 1)))) {
                return encodeEscaped(name);
            }
        }
        return name.getBytes(StandardCharsets.UTF_8);
    }

    /** {@return where a string holds a surrogate that is neither half of a character nor stands for a byte} */
    public static OptionalInt strayIn(String text) {
        for (int i = 0; i < text.length(); ) {
            int point = text.codePointAt(i);
            if (point >= Character.MIN_SURROGATE
                    && point <= Character.MAX_SURROGATE
                    && (point < FIRST_ESCAPED || point > LAST_ESCAPED)) {
                return OptionalInt.of(i);
            }
            i += Character.charCount(point);
        }
        return OptionalInt.empty();
    }

    private static byte[] encodeEscaped(String name) {
        var out = new ByteArrayOutputStream(name.length() + 16);
        int i = 0;
        while (i < name.length()) {
            int point = name.codePointAt(i);
            if (point >= FIRST_ESCAPED && point <= LAST_ESCAPED) {
                out.write(point - ESCAPE);
            } else {
                out.writeBytes(Character.toString(point).getBytes(StandardCharsets.UTF_8));
            }
            i += Character.charCount(point);
        }
        return out.toByteArray();
    }
}
