// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.text;

import java.util.OptionalLong;

/** Numbers found under keys of a control file. */
public interface Values {
    /** {@return the number of a key; empty if the file does not have the key, or something else than a number under it} */
    OptionalLong get(int key);

    /** {@return the number of a key, 0 if there is none} */
    default long orZero(int key) {
        return get(key).orElse(0);
    }
}
