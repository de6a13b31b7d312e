// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.sys.Fd;
import java.io.IOException;

/** A gate at which the child gives the launcher one of its descriptors and does not wait for an answer. */
@FunctionalInterface
public interface Handover extends Gate {
    /**
     * Takes the descriptor, which is the receiver's from here on, while the child goes on towards its execve.
     *
     * @throws IOException to refuse; the child is killed, and the launch throws this very exception
     */
    void take(Fd descriptor) throws IOException;

    @Override
    @SuppressWarnings(
            "FunctionalInterfaceMethodChanged") // Only the keeper of the gates calls it, and knows which it has.
    default void open(int pid) throws IOException {
        throw new IOException("the child " + pid + " came with empty hands");
    }
}
