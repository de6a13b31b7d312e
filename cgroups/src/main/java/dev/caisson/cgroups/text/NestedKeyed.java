// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.text;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Reads files of lines {@code SUBJECT KEY=NUMBER KEY=NUMBER ...}, such as io.stat. */
public final class NestedKeyed {
    private final Keys keys;

    /** @param keys those to look for; others are passed over */
    public NestedKeyed(String... keys) {
        this.keys = new Keys(keys);
    }

    /**
     * {@return the numbers of the keys, by subject}
     *
     * @param subject reads the word at which the text stands; a line whose subject is empty is passed over
     */
    public <S> Map<S, Values> parse(Text text, Function<Text, Optional<S>> subject) {
        var all = new LinkedHashMap<S, Values>();
        for (; text.hasMore(); text.nextLine()) {
            var who = subject.apply(text);
            if (who.isEmpty()) {
                continue;
            }
            var collected = keys.nothing();
            int next = 0;
            for (text.skipTo(' '); !text.isLineEnd(); text.skipTo(' ')) {
                text.skipBlanks();
                next = keys.take(text, '=', next, collected);
            }
            all.put(who.get(), collected);
        }
        return all;
    }
}
