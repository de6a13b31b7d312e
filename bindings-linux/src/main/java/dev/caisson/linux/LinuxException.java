// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

import java.io.IOException;

/**
 * The kernel refused a system call. The message is a line one can replay: the call as strace(1) prints it, and the
 * errno with its text.
 */
public final class LinuxException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;
    private final String call;

    public LinuxException(Errno errno, String call) {
        super(call + " = " + errno);
        this.errno = errno.code();
        this.call = call;
    }

    /** {@return the reason the kernel gave} */
    public Errno errno() {
        return new Errno(errno);
    }

    /** {@return the refused call with its arguments, as strace prints it} */
    public String call() {
        return call;
    }
}
