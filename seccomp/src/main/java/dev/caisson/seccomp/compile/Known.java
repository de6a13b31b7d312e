// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

/** A search that is made already, in parts of which another may end. */
record Known(Partition partition, Part root) {
    /** {@return what follows for a number} */
    Node at(long number) {
        return partition.at(number);
    }
}
