// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mount;

/** One parameter of a file system, for fsconfig(2) or for the option string of mount(2). */
public sealed interface Parameter {
    String key();

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
