// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.watch;

import dev.caisson.cgroups.text.FlatKeyed;
import dev.caisson.cgroups.text.Text;
import dev.caisson.cgroups.text.Values;
import org.jspecify.annotations.Nullable;

/** By how much the counters of a file have grown since it was last looked at. For one thread at a time. */
public final class Growth {
    private final FlatKeyed keys;
    private final int size;
    private long @Nullable [] last;

    /** @param fromBegin whether what was counted before the first look counts */
    public Growth(boolean fromBegin, String... keys) {
        this.keys = new FlatKeyed(keys);
        this.size = keys.length;
        this.last = fromBegin ? new long[size] : null;
    }

    /** {@return the growth of each key, in the order of the keys; never negative} */
    public long[] of(Text text) {
        return of(keys.parse(text));
    }

    private long[] of(Values now) {
        var grown = new long[size];
        var seen = new long[size];
        for (int i = 0; i < size; i++) {
            seen[i] = now.orZero(i);
            grown[i] = last == null ? 0 : Math.max(0, seen[i] - last[i]);
        }
        last = seen;
        return grown;
    }
}
