// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.sys.Fd;
import java.io.IOException;

/** A gate at which the child shows the launcher one of its descriptors and waits for bytes that its later steps use. */
@FunctionalInterface
public interface Consultation extends Gate {
    /**
     * {@return exactly as many bytes as the program reads}
     *
     * @param descriptor closed afterwards; what it is of may be hostile
     * @throws IOException to refuse; the child ends, and the launch throws this very exception
     */
    byte[] answer(Fd descriptor) throws IOException;

    @Override
    @SuppressWarnings(
            "FunctionalInterfaceMethodChanged") // Only the talk with a child calls it, and knows which it has.
    default void open(int pid) throws IOException {
        throw new IOException("the child " + pid + " asked about nothing");
    }
}
