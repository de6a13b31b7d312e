// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import dev.caisson.linux.call.FileNames;
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
        int nul = text.indexOf('\0');
        if (nul >= 0) {
            throw new InvalidPathException(text.replace('\0', '\u2400'), "a name cannot hold NUL", nul);
        }
        FileNames.strayIn(text).ifPresent(at -> {
            String code = Integer.toHexString(text.charAt(at));
            throw new InvalidPathException(
                    text, "the surrogate U+" + code + " is neither text nor an escaped byte", at);
        });
        return FileNames.encode(text);
    }
}
