// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.text;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;

/**
 * The bytes of a control file, gone through once from left to right. No strings are made of them: a snapshot of a cgroup looks
 * at thousands of bytes and keeps a few numbers.
 */
public final class Text {
    private final MemorySegment bytes;
    private final int end;
    private int at;

    /** @param length how many of the bytes are the text */
    public Text(MemorySegment bytes, int length) {
        this.bytes = bytes;
        this.end = length;
    }

    /** {@return a text of a string} */
    public static Text of(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return new Text(MemorySegment.ofArray(bytes), bytes.length);
    }

    private byte current() {
        return bytes.get(JAVA_BYTE, at);
    }

    /** {@return whether there is anything left} */
    public boolean hasMore() {
        return at < end;
    }

    /** {@return whether the line is over} */
    public boolean isLineEnd() {
        return at >= end || current() == '\n';
    }

    /** Goes to the begin of the next line. */
    public void nextLine() {
        while (at < end && current() != '\n') {
            at++;
        }
        at++;
    }

    /** Goes past blanks of this line. */
    public void skipBlanks() {
        while (at < end && current() == ' ') {
            at++;
        }
    }

    /** {@return whether this character comes next; if so, goes past it} */
    public boolean skip(char character) {
        boolean is = at < end && current() == character;
        if (is) {
            at++;
        }
        return is;
    }

    /** {@return whether these bytes and then this character come next; if so, goes past them} */
    public boolean skip(byte[] word, char then) {
        int after = at + word.length;
        if (after >= end || bytes.get(JAVA_BYTE, after) != then) {
            return false;
        }
        for (int i = 0; i < word.length; i++) {
            if (bytes.get(JAVA_BYTE, at + i) != word[i]) {
                return false;
            }
        }
        at = after + 1;
        return true;
    }

    /** Goes to the next blank, line end, or this character. */
    void skipTo(char character) {
        while (!isLineEnd() && current() != ' ' && current() != character) {
            at++;
        }
    }

    /** {@return the number that comes next, at most {@link Long#MAX_VALUE}; empty, and nothing is passed, if none does} */
    public OptionalLong number() {
        int begin = at;
        long value = 0;
        while (at < end) {
            int digit = current() - '0';
            if (digit < 0 || digit > 9) {
                break;
            }
            value = value > (Long.MAX_VALUE - digit) / 10 ? Long.MAX_VALUE : 10 * value + digit;
            at++;
        }
        return at == begin ? OptionalLong.empty() : OptionalLong.of(value);
    }

    /** {@return what comes next up to a blank or a line end} */
    public String word() {
        int begin = at;
        skipTo(' ');
        return new String(bytes.asSlice(begin, at - begin).toArray(JAVA_BYTE), StandardCharsets.UTF_8);
    }
}
