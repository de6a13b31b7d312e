// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.file;

import org.jspecify.annotations.Nullable;

/**
 * A value to be written into a file of a cgroup: limits become these first, so that they can be shown and tested without a
 * kernel.
 *
 * @param option the setting it comes from, as the user wrote it
 * @param controller whose hierarchy the file is in, by the name its version has for it; empty for files of every cgroup
 * @param otherwise what is written where this file does not exist
 */
public record Write(
        String option,
        String controller,
        String file,
        String value,
        @Nullable Write otherwise) {
    public Write(String option, String controller, String file, String value) {
        this(option, controller, file, value, null);
    }

    /** {@return this, and what is written where its file does not exist} */
    public Write or(Write other) {
        return new Write(option, controller, file, value, other);
    }

    @Override
    public String toString() {
        return file + " = " + value + (otherwise == null ? "" : " or " + otherwise);
    }
}
