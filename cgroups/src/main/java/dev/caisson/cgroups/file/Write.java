// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.file;

/**
 * A value to be written into a file of a cgroup: limits become these first, so that they can be shown and tested without a
 * kernel.
 *
 * @param option the setting it comes from, as the user wrote it
 * @param controller whose hierarchy the file is in
 */
public record Write(String option, String controller, String file, String value) {
    @Override
    public String toString() {
        return file + " = " + value;
    }
}
