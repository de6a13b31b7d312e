// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.util.Arrays;

/**
 * Names as strings and back, without loss: names are UTF-8, and a byte 0xNN that is not appears as the lone surrogate U+DCNN,
 * which no valid text holds (Python's PEP 383 does the same). So every name the kernel can have is exactly one string.
 */
public final class NameCodec {
    private static final char ESCAPE = '\uDC00';

    private NameCodec() {}

    /** {@return the string of any bytes} */
    public static String decode(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        // What is not UTF-8 was replaced, and does not come back.
        return Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes) ? text : decodeEscaping(bytes);
    }

    private static String decodeEscaping(byte[] bytes) {
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        var in = ByteBuffer.wrap(bytes);
        var out = CharBuffer.allocate(bytes.length);
        while (true) {
            var result = decoder.decode(in, out, true);
            if (result.isUnderflow()) {
                return out.flip().toString();
            }
            for (int i = 0; i < result.length(); i++) {
                out.put((char) (ESCAPE | in.get() & 0xff));
            }
            decoder.reset();
        }
    }

    /**
     * {@return the bytes of a string}
     *
     * @throws InvalidPathException if it holds NUL, or a surrogate that stands for no byte
     */
    public static byte[] encode(String text) {
        boolean plain = true;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == 0) {
                throw new InvalidPathException(text.replace('\0', '\u2400'), "a name cannot hold NUL", i);
            }
            plain &= !Character.isSurrogate(c);
        }
        return plain ? text.getBytes(StandardCharsets.UTF_8) : encodeEscaped(text);
    }

    private static byte[] encodeEscaped(String text) {
        var out = new ByteArrayOutputStream(text.length() + 8);
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            if (c >= (ESCAPE | 0x80) && c <= (ESCAPE | 0xff)) {
                out.write(c & 0xff);
            } else if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
                throw new InvalidPathException(
                        text, "the surrogate U+" + Integer.toHexString(c) + " is neither text nor an escaped byte", i);
            } else {
                out.writeBytes(Character.toString(c).getBytes(StandardCharsets.UTF_8));
            }
            i += Character.charCount(c);
        }
        return out.toByteArray();
    }
}
