// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.spec.Stdio;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.util.function.Consumer;

/** What a command writes, decoded and divided into lines for a function. */
final class LineOutput implements Sink {
    private static final int CHUNK = 8192;

    private final Consumer<? super String> consumer;
    private final int longest;
    private final CharsetDecoder decoder;
    /** What is left of a character that has not come whole. */
    private final ByteBuffer bytes = ByteBuffer.allocate(CHUNK).flip();

    private final CharBuffer characters = CharBuffer.allocate(CHUNK);
    private final StringBuilder line = new StringBuilder();

    /** A carriage return was read, and what comes next decides whether it belongs to the line. */
    private boolean returned;

    private volatile boolean stopped;

    LineOutput(Stdio.Lines lines) {
        consumer = lines.consumer();
        longest = lines.longest();
        decoder = lines.charset()
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPLACE)
                .onUnmappableCharacter(CodingErrorAction.REPLACE);
    }

    @Override
    public void take(MemorySegment more) throws SinkException {
        var source = more.asByteBuffer();
        while (source.hasRemaining()) {
            bytes.compact();
            int count = Math.min(bytes.remaining(), source.remaining());
            bytes.put(source.slice().limit(count)).flip();
            source.position(source.position() + count);
            decode(false);
        }
    }

    @Override
    public void finish() throws SinkException {
        decode(true);
        while (decoder.flush(characters).isOverflow()) {
            divide();
        }
        divide();
        if (!line.isEmpty()) {
            give(line.length());
        }
    }

    @Override
    public void stop() {
        stopped = true;
    }

    private void decode(boolean last) throws SinkException {
        boolean more = true;
        while (more) {
            more = decoder.decode(bytes, characters, last).isOverflow();
            divide();
        }
    }

    private void divide() throws SinkException {
        characters.flip();
        while (characters.hasRemaining()) {
            add(characters.get());
        }
        characters.clear();
    }

    private void add(char c) throws SinkException {
        if (c == '\n') {
            returned = false;
            give(line.length());
            return;
        }
        if (returned) {
            append('\r');
        }
        returned = c == '\r';
        if (!returned) {
            append(c);
        }
    }

    private void append(char c) throws SinkException {
        if (line.length() == longest) {
            give(Character.isHighSurrogate(line.charAt(longest - 1)) ? longest - 1 : longest);
        }
        line.append(c);
    }

    private void give(int length) throws SinkException {
        String whole = line.substring(0, length);
        line.delete(0, length);
        if (stopped) {
            return;
        }
        try {
            consumer.accept(whole);
        } catch (Throwable thrown) {
            throw new SinkException("the function that takes its lines failed", thrown);
        }
    }
}
