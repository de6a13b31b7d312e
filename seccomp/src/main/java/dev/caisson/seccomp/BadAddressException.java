// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import java.io.IOException;

/** A pointer of the caller leads to memory that is not there, or not with that access. The kernel would say EFAULT. */
public final class BadAddressException extends IOException {
    private static final long serialVersionUID = 1L;

    public BadAddressException(String access, long address, long length) {
        super(access + " " + length + " bytes at 0x" + Long.toHexString(address)
                + " of the caller: bad address (EFAULT)");
    }
}
