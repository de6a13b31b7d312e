// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import java.io.IOException;

/** Nobody waits for the answer to a supervised call any more: the caller died, or a signal interrupted it. No error. */
public final class CallerGoneException extends IOException {
    private static final long serialVersionUID = 1L;

    /** A call that nobody waits for any more. */
    public CallerGoneException() {
        super("the caller no longer waits for its system call: it died, or a signal interrupted it");
    }
}
