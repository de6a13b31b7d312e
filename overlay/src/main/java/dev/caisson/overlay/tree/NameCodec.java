// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import dev.caisson.linux.sys.FileNames;
import java.nio.file.InvalidPathException;

/** Names as users write them: {@link FileNames}, strict about strings that are not names at all. */
final class NameCodec {
    private NameCodec() {}

    /** {@return the string of any bytes} */
    static String decode(byte[] bytes) {
        return FileNames.decode(bytes);
    }

    /**
     * {@return the bytes of a string}
     *
     * @throws InvalidPathException if it holds NUL, or a surrogate that stands for no byte
     */
    static byte[] encode(String text) {
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            if (c == 0) {
                throw new InvalidPathException(text.replace('\0', '\u2400'), "a name cannot hold NUL", i);
            }
            if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE && (c < 0xdc80 || c > 0xdcff)) {
                throw new InvalidPathException(
                        text, "the surrogate U+" + Integer.toHexString(c) + " is neither text nor an escaped byte", i);
            }
            i += Character.charCount(c);
        }
        return FileNames.encode(text);
    }
}
