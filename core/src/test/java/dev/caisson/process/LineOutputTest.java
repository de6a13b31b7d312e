// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.caisson.spec.Stdio;
import java.lang.foreign.MemorySegment;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** How bytes become lines, however they arrive. */
class LineOutputTest {
    private static List<String> lines(byte[] bytes, Charset charset, int longest, int pieces) throws SinkException {
        var lines = new ArrayList<String>();
        var output = new LineOutput(new Stdio.Lines(lines::add, charset, longest));
        var random = new Random(pieces);
        int at = 0;
        while (at < bytes.length) {
            int count = Math.min(bytes.length - at, 1 + random.nextInt(pieces));
            output.take(MemorySegment.ofArray(bytes).asSlice(at, count));
            at += count;
        }
        output.finish();
        return lines;
    }

    private static void comesAs(List<String> expected, byte[] bytes, Charset charset, int longest) throws Exception {
        for (int pieces : new int[] {1, 2, 3, 7, 100, 100_000}) {
            assertEquals(expected, lines(bytes, charset, longest, pieces), "in pieces of up to " + pieces);
        }
    }

    @Test
    void linesEndByALineFeedAndTheLastOneNeedNot() throws Exception {
        comesAs(List.of("a", "", "b c", "d"), "a\n\nb c\nd".getBytes(UTF_8), UTF_8, 100);
        comesAs(List.of("a"), "a\n".getBytes(UTF_8), UTF_8, 100);
        comesAs(List.of(), new byte[0], UTF_8, 100);
    }

    @Test
    void aCarriageReturnBelongsToALineUnlessTheLineEndsWithIt() throws Exception {
        comesAs(List.of("a", "b\rc", "\r", "d"), "a\r\nb\rc\n\r\r\nd\r".getBytes(UTF_8), UTF_8, 100);
    }

    @Test
    void charactersAreNotDividedAndBytesWithoutMeaningAreReplaced() throws Exception {
        comesAs(List.of("Grüße, 世界 \uD83D\uDE00", "x"), "Grüße, 世界 \uD83D\uDE00\nx".getBytes(UTF_8), UTF_8, 100);
        comesAs(List.of("a\uFFFDb", "\uFFFD"), new byte[] {'a', (byte) 0xff, 'b', '\n', (byte) 0xc3}, UTF_8, 100);
        comesAs(List.of("ÿÃ"), new byte[] {(byte) 0xff, (byte) 0xc3, '\n'}, ISO_8859_1, 100);
        comesAs(List.of("ab", "Ċ"), "ab\nĊ".getBytes(UTF_16LE), UTF_16LE, 100);
    }

    @Test
    void longLinesComeInPiecesOfWholeCharacters() throws Exception {
        String twenty = "abcdefghijklmnopqrst";
        comesAs(List.of("abcdefghijklmnop", "qrst", "end"), (twenty + "\nend").getBytes(UTF_8), UTF_8, 16);
        comesAs(List.of("abcdefghijklmnop", "end"), "abcdefghijklmnop\r\nend".getBytes(UTF_8), UTF_8, 16);
        comesAs(
                List.of("abcdefghijklmno", "\uD83D\uDE00!"),
                "abcdefghijklmno\uD83D\uDE00!\n".getBytes(UTF_8),
                UTF_8,
                16);
        String million = "x".repeat(1_000_000);
        comesAs(List.of(million), million.getBytes(UTF_8), UTF_8, 1_000_000);
    }

    @Test
    void whatTheFunctionThrowsIsTheCause() {
        var thrown = new AssertionError("no");
        var output = new LineOutput(new Stdio.Lines(
                _ -> {
                    throw thrown;
                },
                UTF_8,
                16));
        var failed = assertThrows(SinkException.class, () -> output.take(MemorySegment.ofArray("a\n".getBytes(UTF_8))));
        assertEquals(thrown, failed.getCause());
    }
}
