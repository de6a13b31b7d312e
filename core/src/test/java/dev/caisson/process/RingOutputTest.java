// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The last bytes are the last bytes, whatever came in which pieces. */
class RingOutputTest {
    @Test
    void theLastBytesAreKept() {
        for (int most : new int[] {1, 2, 7, 4096, 5000, 100_000}) {
            for (int seed = 0; seed < 50; seed++) {
                var random = new Random(seed);
                var ring = new RingOutput(most);
                var all = new ByteArrayOutputStream();
                for (int i = 0; i < 30; i++) {
                    byte[] piece = new byte[random.nextInt(1 + random.nextInt(3 * most))];
                    random.nextBytes(piece);
                    ring.take(MemorySegment.ofArray(piece));
                    all.writeBytes(piece);
                    byte[] whole = all.toByteArray();
                    int kept = Math.min(most, whole.length);
                    assertArrayEquals(
                            Arrays.copyOfRange(whole, whole.length - kept, whole.length),
                            ring.content().bytes());
                    assertEquals(whole.length - kept, ring.content().dropped());
                }
            }
        }
    }
}
