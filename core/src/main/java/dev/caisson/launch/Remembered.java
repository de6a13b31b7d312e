// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.sys.FileStamps;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What a look at files found, for as long as they stay as they are. To ask whether they did takes a statx(2) for each.
 * Thread-safe.
 *
 * @param <T> what is found, a value
 */
final class Remembered<T> {
    private static final long MILLIS = 1000;

    private final Look<T> look;
    private final AtomicReference<@Nullable Known<T>> kept = new AtomicReference<>();

    /** A look at files. */
    @FunctionalInterface
    interface Look<T> {
        /**
         * Looks.
         *
         * @param whole takes the paths of which every change counts, in a directory also that a name comes or goes
         * @param attributes takes those of which only mode and owner count, and which file it is
         */
        T at(Set<String> whole, Set<String> attributes) throws IOException;
    }

    /**
     * What was found, and what it depends on.
     *
     * @param seenTwice whether it was found again after the stamps were taken, and so is what they are the stamps of
     */
    private record Known<T>(T what, byte[] state, FileStamps files, long[] stamps, boolean seenTwice) {
        boolean holds(byte[] stateNow) {
            return Arrays.equals(state, stateNow) && Arrays.equals(stamps, files.now());
        }
    }

    Remembered(Look<T> look) {
        this.look = look;
    }

    /**
     * {@return what there is to be found}
     *
     * @param state what it depends on beside the files, as it is now
     */
    T get(byte[] state) throws IOException {
        var known = kept.get();
        if (known != null && known.holds(state)) {
            if (known.seenTwice()) {
                return known.what();
            }
            var again = look.at(new LinkedHashSet<>(), new LinkedHashSet<>());
            if (known.what().equals(again)) {
                kept.set(new Known<>(again, state, known.files(), known.stamps(), true));
                return again;
            }
        }
        var whole = new LinkedHashSet<String>();
        var attributes = new LinkedHashSet<String>();
        var what = look.at(whole, attributes);
        var files = new FileStamps(whole, attributes);
        long[] stamps = files.now();
        kept.set(
                files.areSettled(stamps, System.currentTimeMillis() / MILLIS)
                        ? new Known<>(what, state, files, stamps, false)
                        : null);
        return what;
    }
}
