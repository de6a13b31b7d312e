// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.usage;

import dev.caisson.cgroups.spec.Usage.Share;
import dev.caisson.cgroups.spec.Usage.Stall;
import dev.caisson.cgroups.text.Text;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads pressure files: {@code some avg10=0.12 avg60=0.00 avg300=0.00 total=1234} and the same for full. */
public final class PressureFile {
    private static final byte[] SOME = bytes("some");
    private static final byte[] FULL = bytes("full");
    private static final byte[] AVG10 = bytes("avg10");
    private static final byte[] AVG60 = bytes("avg60");
    private static final byte[] AVG300 = bytes("avg300");
    private static final byte[] TOTAL = bytes("total");

    private PressureFile() {}

    private static byte[] bytes(String word) {
        return word.getBytes(StandardCharsets.US_ASCII);
    }

    /** {@return what the lines say} */
    public static Stall parse(Text text) {
        @Nullable Share some = null;
        @Nullable Share full = null;
        for (; text.hasMore(); text.nextLine()) {
            if (text.skip(SOME, ' ')) {
                some = share(text);
            } else if (text.skip(FULL, ' ')) {
                full = share(text);
            }
        }
        return new Stall(Optional.ofNullable(some), Optional.ofNullable(full));
    }

    private static Share share(Text text) {
        double avg10 = percent(text, AVG10);
        double avg60 = percent(text, AVG60);
        double avg300 = percent(text, AVG300);
        long micros = text.skip(TOTAL, '=') ? text.number().orElse(0) : 0;
        return new Share(avg10, avg60, avg300, Micros.duration(micros));
    }

    /** The kernel prints two places behind the point, always. */
    private static double percent(Text text, byte[] key) {
        if (!text.skip(key, '=')) {
            return 0;
        }
        long whole = text.number().orElse(0);
        long hundredths = text.skip('.') ? text.number().orElse(0) : 0;
        text.skipBlanks();
        return whole + hundredths / 100.0;
    }
}
