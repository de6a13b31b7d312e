// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.text;

/** Reads files of lines {@code KEY NUMBER}, such as memory.events. */
public final class FlatKeyed {
    private final Keys keys;

    /** @param keys those to look for; others are passed over */
    public FlatKeyed(String... keys) {
        this.keys = new Keys(keys);
    }

    /** {@return the numbers of the keys} */
    public Values parse(Text text) {
        var collected = keys.nothing();
        int next = 0;
        while (text.hasMore() && !keys.isComplete(collected)) {
            next = keys.take(text, ' ', next, collected);
            text.nextLine();
        }
        return collected;
    }
}
