// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mount;

import java.util.ArrayList;
import java.util.List;

/** One parameter of a file system, for fsconfig(2) or for the option string of mount(2). */
public sealed interface Parameter {
    String key();

    /** {@return the parameters of options, each as mount(8) writes it} */
    static List<Parameter> of(List<String> options) {
        var all = new ArrayList<Parameter>();
        for (String option : options) {
            int equals = option.indexOf('=');
            all.add(
                    equals < 0
                            ? new Flag(option)
                            : new Text(option.substring(0, equals), option.substring(equals + 1)));
        }
        return all;
    }

    /** {@return it as part of an option string} */
    String text();

    /** A parameter without a value. */
    record Flag(String key) implements Parameter {
        @Override
        public String text() {
            return key;
        }
    }

    /** A parameter with a value. */
    record Text(String key, String value) implements Parameter {
        @Override
        public String text() {
            return key + "=" + value;
        }
    }
}
