// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.text;

import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;

/** The keys that are looked for in a file, at most 64 of them. */
final class Keys {
    private final byte[][] keys;

    Keys(String... keys) {
        this.keys = new byte[keys.length][];
        for (int i = 0; i < keys.length; i++) {
            this.keys[i] = keys[i].getBytes(StandardCharsets.US_ASCII);
        }
    }

    /** What was found, by the places of the keys. */
    static final class Collected implements Values {
        private final long[] values;
        private long found;

        private Collected(int size) {
            values = new long[size];
        }

        @Override
        public OptionalLong get(int key) {
            return (found >>> key & 1) == 0 ? OptionalLong.empty() : OptionalLong.of(values[key]);
        }

        private void put(int key, long value) {
            values[key] = value;
            found |= 1L << key;
        }
    }

    Collected nothing() {
        return new Collected(keys.length);
    }

    boolean isComplete(Collected collected) {
        return collected.found == -1L >>> Long.SIZE - keys.length;
    }

    /**
     * Takes KEY, a separator and a number, if the key is one that is looked for.
     *
     * @param next the place of the key that is likely to come
     * @return the place after that of the key which came; {@code next} if none did
     */
    int take(Text text, char separator, int next, Collected into) {
        for (int i = 0; i < keys.length; i++) {
            int key = (next + i) % keys.length;
            if (text.skip(keys[key], separator)) {
                var value = text.number();
                if (value.isPresent()) {
                    into.put(key, value.getAsLong());
                }
                return key + 1;
            }
        }
        return next;
    }
}
