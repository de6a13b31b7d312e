// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import java.io.IOException;

/** A pointer of the caller leads to memory that is not there, or not with that access. The kernel would say EFAULT. */
public final class BadAddressException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * An access that the kernel refused.
     *
     * @param access what was tried, such as {@code reading}
     * @param address where in the caller's memory
     * @param length how many bytes
     */
    public BadAddressException(String access, long address, long length) {
        super(access + " " + length + " bytes at 0x" + Long.toHexString(address)
                + " of the caller: bad address (EFAULT)");
    }
}
